"""Scores of lm-evaluation-harness."""

from tests.importers.formats import figures_of, runs_of, sessions_of

NAME = "lm-eval"


def test_each_task_is_a_run_and_each_metric_a_score_with_its_direction() -> None:
    (session,) = sessions_of(NAME, "results_2026-01-31T14-00-00.json")
    runs = {run.params["task"]: run for run in session.runs if run.params}
    easy = figures_of(runs["arc_easy"])

    assert session.started_unix_us == 1_769_868_000_500_000
    assert session.finished_unix_us == 1_769_868_121_000_000
    assert runs["gsm8k"].fullname == ("lm-eval[task=gsm8k-model=example/small-1b-revision=main-dtype=bfloat16-shots=5]")
    assert (easy["acc"].value, easy["acc"].unit, easy["acc"].better) == (0.5, "1", "higher")
    assert easy["acc"].details is not None
    assert (easy["acc"].details["stderr"], easy["acc"].details["samples"]) == (0.01, 2376.0)
    assert "alias" not in easy
    assert figures_of(runs["wikitext"])["word_perplexity"].better == "lower"
    scores = figures_of(runs["gsm8k"])
    assert {name: row.value for name, row in scores.items()} == {
        "exact_match,strict-match": 0.25,
        "exact_match,flexible-extract": 0.3,
    }


def test_model_and_what_it_ran_on_are_those_of_the_run() -> None:
    run = runs_of(NAME, "results_2026-01-31T14-00-00.json")[0]

    assert (run.labels.model, run.labels.version, run.labels.precision) == ("example/small-1b", "main", "bf16")
    assert (run.labels.batch_size, run.device and run.device.backend) == (8, "cuda")


def test_score_of_a_group_says_so() -> None:
    run = next(run for run in runs_of(NAME, "results_2026-01-31T14-00-00.json") if "task=mmlu" in run.fullname)

    assert run.extra_info is not None
    assert run.extra_info["group_of"] == ["mmlu_law"]


def test_files_of_2022_have_no_time() -> None:
    (session,) = sessions_of(NAME, "old.json")
    rows = figures_of(session.runs[0])

    assert session.started_unix_us is None
    assert (rows["ppl"].better, rows["acc"].better) == ("lower", "higher")
    assert session.runs[0].params == {"task": "lambada_openai", "model": "example/small-1b", "shots": 0}


def test_scores_by_prompt_are_put_together() -> None:
    (run,) = runs_of(NAME, "by-prompt.json")
    (row,) = run.measurements

    assert (row.metric, row.value, row.details and row.details["stderr"]) == ("em", 0.5, 0.02)
