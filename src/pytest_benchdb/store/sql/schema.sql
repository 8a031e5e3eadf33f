-- The whole schema of a pytest-benchdb file, session file and history alike.
-- If you change it after a release: raise SCHEMA_VERSION in store/schema/template.py and add the migration
-- migrations/NNNN_name.sql (store/schema/migrate.py has the rules). Then run docs/generate.py.
-- Times are UTC, units are SI, NULL means not measured or not known.
-- No primary, foreign or unique keys: they cost 3 to 5 times the space and 5 to 14 times the write time,
-- and DuckLake has none. The statements under checks/ prove what keys would.

-- One fact about this file per row.
CREATE TABLE meta (
    key VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);
COMMENT ON TABLE meta IS 'One fact about this file per row';
COMMENT ON COLUMN meta.key IS 'format, schema_version, file_kind (session, annotation or history), created_by';
COMMENT ON COLUMN meta.value IS 'The fact, as text';

-- One invocation of pytest, one import, or one use of the API.
CREATE TABLE session (
    session_id UUID NOT NULL,
    project VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    outcome VARCHAR NOT NULL,
    exit_status INTEGER,
    complete BOOLEAN NOT NULL,
    label VARCHAR,
    tags MAP(VARCHAR, VARCHAR),
    note VARCHAR,
    command VARCHAR,
    tool VARCHAR NOT NULL,
    tool_version VARCHAR,
    environment_id UUID,
    fingerprint UUID,
    commit_sha VARCHAR,
    branch VARCHAR,
    dirty BOOLEAN,
    commit_at TIMESTAMP,
    merge_base VARCHAR,
    remote_url VARCHAR,
    ci_provider VARCHAR,
    ci_url VARCHAR,
    pull_request VARCHAR,
    load_start DOUBLE,
    load_end DOUBLE,
    steal_s DOUBLE,
    contended BOOLEAN,
    commit_subject VARCHAR
);
COMMENT ON TABLE session IS 'One invocation of pytest, one import, or one use of the API';
COMMENT ON COLUMN session.session_id IS 'UUIDv7';
COMMENT ON COLUMN session.project IS 'Name that is the same in every checkout of the project';
COMMENT ON COLUMN session.kind IS 'pytest, import, api, sample or peaks';
COMMENT ON COLUMN session.started_at IS 'UTC';
COMMENT ON COLUMN session.finished_at IS 'UTC; NULL if the session died';
COMMENT ON COLUMN session.outcome IS 'passed, failed, interrupted, error, crashed or empty';
COMMENT ON COLUMN session.exit_status IS 'Exit status of pytest; NULL if it died';
COMMENT ON COLUMN session.complete IS 'Whether every selected test ran and the session was closed by itself';
COMMENT ON COLUMN session.label IS '--benchdb-label';
COMMENT ON COLUMN session.tags IS '--benchdb-tag, by key';
COMMENT ON COLUMN session.note IS '--benchdb-note';
COMMENT ON COLUMN session.command IS 'Command line, secrets masked';
COMMENT ON COLUMN session.tool IS 'What recorded or produced the session: pytest-benchdb or the tool imported from';
COMMENT ON COLUMN session.tool_version IS 'Version of tool';
COMMENT ON COLUMN session.environment_id IS 'The environment it ran in';
COMMENT ON COLUMN session.fingerprint IS 'Copy of environment.fingerprint: results of different fingerprints are not compared';
COMMENT ON COLUMN session.commit_sha IS 'Full hash of HEAD; NULL without git';
COMMENT ON COLUMN session.branch IS 'Branch; NULL on a detached head outside CI';
COMMENT ON COLUMN session.dirty IS 'Whether tracked files differed from HEAD';
COMMENT ON COLUMN session.commit_at IS 'Author time of the commit, UTC';
COMMENT ON COLUMN session.merge_base IS 'Commit at which the branch left the default branch';
COMMENT ON COLUMN session.remote_url IS 'URL of the git remote, without credentials';
COMMENT ON COLUMN session.ci_provider IS 'github, gitlab, jenkins, azure, buildkite, circleci; NULL outside CI';
COMMENT ON COLUMN session.ci_url IS 'Address of the CI run';
COMMENT ON COLUMN session.pull_request IS 'Number of the pull or merge request';
COMMENT ON COLUMN session.load_start IS 'Load average of one minute at the start';
COMMENT ON COLUMN session.load_end IS 'Load average of one minute at the end';
COMMENT ON COLUMN session.steal_s IS 'CPU time that the hypervisor gave away during the session, all cores, seconds';
COMMENT ON COLUMN session.contended IS 'Whether other work disturbed the session; NULL if not known';
COMMENT ON COLUMN session.commit_subject IS 'First line of the commit''s message, at most 200 characters';

-- A machine with a Python, by the hash of its content.
CREATE TABLE environment (
    environment_id UUID NOT NULL,
    fingerprint UUID NOT NULL,
    hostname_hash VARCHAR,
    os VARCHAR,
    kernel VARCHAR,
    cpu_model VARCHAR,
    cores INTEGER,
    threads INTEGER,
    ram_bytes BIGINT,
    virtualization VARCHAR,
    python VARCHAR,
    packages MAP(VARCHAR, VARCHAR),
    details JSON
);
COMMENT ON TABLE environment IS 'A machine with a Python, by the hash of its content';
COMMENT ON COLUMN environment.environment_id IS 'Content hash of the row';
COMMENT ON COLUMN environment.fingerprint IS 'Content hash of the parts that change speed';
COMMENT ON COLUMN environment.hostname_hash IS 'Hash of the host''s name';
COMMENT ON COLUMN environment.os IS 'Operating system and version';
COMMENT ON COLUMN environment.kernel IS 'Kernel release';
COMMENT ON COLUMN environment.cpu_model IS 'Name of the processor';
COMMENT ON COLUMN environment.cores IS 'Physical cores';
COMMENT ON COLUMN environment.threads IS 'Logical processors that the session could use';
COMMENT ON COLUMN environment.ram_bytes IS 'Memory of the machine or, if smaller, of the container, bytes';
COMMENT ON COLUMN environment.virtualization IS 'kvm, container:docker, wsl, ...; NULL on bare metal or unknown';
COMMENT ON COLUMN environment.python IS 'Implementation, version and build';
COMMENT ON COLUMN environment.packages IS 'Versions of the packages that matter, by name';
COMMENT ON COLUMN environment.details IS 'Caches, governor, limits, flags and everything else that was read';

-- One instance of a backend, by the hash of its content.
CREATE TABLE device (
    device_id UUID NOT NULL,
    backend VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    uuid VARCHAR,
    memory_bytes BIGINT,
    driver VARCHAR,
    details JSON
);
COMMENT ON TABLE device IS 'One instance of a backend, by the hash of its content';
COMMENT ON COLUMN device.device_id IS 'Content hash of backend, name and uuid';
COMMENT ON COLUMN device.backend IS 'Kind of hardware: cpu, cuda, ...';
COMMENT ON COLUMN device.name IS 'The vendor''s name of it';
COMMENT ON COLUMN device.uuid IS 'The vendor''s unique id';
COMMENT ON COLUMN device.memory_bytes IS 'Its memory, bytes';
COMMENT ON COLUMN device.driver IS 'Version of the driver';
COMMENT ON COLUMN device.details IS 'Everything else that was read';

-- Catalogue: a machine that can be rented or bought.
CREATE TABLE hardware_config (
    hardware_config_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    provider VARCHAR,
    instance_type VARCHAR,
    device_name VARCHAR,
    device_count INTEGER,
    memory_per_device_bytes BIGINT,
    price_per_hour_usd DOUBLE,
    spot BOOLEAN,
    details JSON
);
COMMENT ON TABLE hardware_config IS 'Catalogue: a machine that can be rented or bought; reserved, no command fills it yet';
COMMENT ON COLUMN hardware_config.hardware_config_id IS 'Content hash of provider and instance_type, or of the devices';
COMMENT ON COLUMN hardware_config.name IS 'Its common name';
COMMENT ON COLUMN hardware_config.provider IS 'Cloud provider';
COMMENT ON COLUMN hardware_config.instance_type IS 'The provider''s name of it';
COMMENT ON COLUMN hardware_config.device_name IS 'Name of its accelerators, as in device.name';
COMMENT ON COLUMN hardware_config.device_count IS 'Number of accelerators';
COMMENT ON COLUMN hardware_config.memory_per_device_bytes IS 'Memory of one accelerator, bytes';
COMMENT ON COLUMN hardware_config.price_per_hour_usd IS 'Price on demand, US dollars an hour';
COMMENT ON COLUMN hardware_config.spot IS 'Whether it can be had as a spot instance';
COMMENT ON COLUMN hardware_config.details IS 'Everything else that is known';

-- A test and its parameters, by the hash of project and name.
CREATE TABLE benchmark (
    benchmark_id UUID NOT NULL,
    project VARCHAR NOT NULL,
    fullname VARCHAR NOT NULL,
    file VARCHAR,
    class VARCHAR,
    function VARCHAR,
    name VARCHAR NOT NULL,
    group_name VARCHAR,
    params JSON,
    param_id VARCHAR,
    code_hash VARCHAR
);
COMMENT ON TABLE benchmark IS 'A test and its parameters, by the hash of project and name';
COMMENT ON COLUMN benchmark.benchmark_id IS 'Content hash of project and fullname';
COMMENT ON COLUMN benchmark.project IS 'Project it belongs to';
COMMENT ON COLUMN benchmark.fullname IS 'Path from the project''s root, names and parameters';
COMMENT ON COLUMN benchmark.file IS 'Path from the project''s root';
COMMENT ON COLUMN benchmark.class IS 'Enclosing classes joined by ::';
COMMENT ON COLUMN benchmark.function IS 'Test function, without parameters';
COMMENT ON COLUMN benchmark.name IS 'Function and parameters';
COMMENT ON COLUMN benchmark.group_name IS 'Group, as last seen';
COMMENT ON COLUMN benchmark.params IS 'Parameters by name, as last seen';
COMMENT ON COLUMN benchmark.param_id IS 'pytest''s id of the parameters';
COMMENT ON COLUMN benchmark.code_hash IS 'Hash of the test''s source, as last seen; run.code_hash has that of each run';

-- Catalogue: a machine-learning model, by the hash of its name.
CREATE TABLE model (
    model_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    family VARCHAR,
    modality VARCHAR,
    architecture VARCHAR,
    parameters BIGINT,
    base_model VARCHAR,
    source VARCHAR,
    tags VARCHAR[],
    details JSON
);
COMMENT ON TABLE model IS 'Catalogue: a machine-learning model, by the hash of its name';
COMMENT ON COLUMN model.model_id IS 'Content hash of the name';
COMMENT ON COLUMN model.name IS 'bert-base-uncased, ...';
COMMENT ON COLUMN model.family IS 'bert, llama, ...';
COMMENT ON COLUMN model.modality IS 'text, vision, audio, multimodal';
COMMENT ON COLUMN model.architecture IS 'Name of the architecture';
COMMENT ON COLUMN model.parameters IS 'Number of parameters';
COMMENT ON COLUMN model.base_model IS 'Name of the model it was tuned from';
COMMENT ON COLUMN model.source IS 'Where it comes from';
COMMENT ON COLUMN model.tags IS 'Free tags';
COMMENT ON COLUMN model.details IS 'Everything else that is known';

-- Catalogue: one version of a model in one precision.
CREATE TABLE model_version (
    model_version_id UUID NOT NULL,
    model_id UUID NOT NULL,
    version VARCHAR,
    precision VARCHAR,
    quantization_bits DOUBLE,
    format VARCHAR,
    artifact_uri VARCHAR,
    vram_requirement_bytes BIGINT,
    details JSON
);
COMMENT ON TABLE model_version IS 'Catalogue: one version of a model in one precision';
COMMENT ON COLUMN model_version.model_version_id IS 'Content hash of model, version and precision';
COMMENT ON COLUMN model_version.model_id IS 'The model';
COMMENT ON COLUMN model_version.version IS 'Version or revision';
COMMENT ON COLUMN model_version.precision IS 'fp32, fp16, int8, int4, awq, ...';
COMMENT ON COLUMN model_version.quantization_bits IS 'Bits of one weight';
COMMENT ON COLUMN model_version.format IS 'safetensors, gguf, ...';
COMMENT ON COLUMN model_version.artifact_uri IS 'Where its files are';
COMMENT ON COLUMN model_version.vram_requirement_bytes IS 'Device memory it needs, bytes';
COMMENT ON COLUMN model_version.details IS 'Everything else that is known';

-- Catalogue: an inference or training framework in one version.
CREATE TABLE framework (
    framework_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    version VARCHAR,
    details JSON
);
COMMENT ON TABLE framework IS 'Catalogue: an inference or training framework in one version';
COMMENT ON COLUMN framework.framework_id IS 'Content hash of name and version';
COMMENT ON COLUMN framework.name IS 'vllm, torch, ...';
COMMENT ON COLUMN framework.version IS 'Its version';
COMMENT ON COLUMN framework.details IS 'Capabilities and everything else that is known';

-- Catalogue: what models are used for, with the weights of their ranking.
CREATE TABLE use_case (
    use_case_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    category VARCHAR,
    pipeline_tag VARCHAR,
    default_weights MAP(VARCHAR, DOUBLE),
    details JSON
);
COMMENT ON TABLE use_case IS 'Catalogue: what models are used for, with the weights of their ranking; reserved, no command fills it yet';
COMMENT ON COLUMN use_case.use_case_id IS 'Content hash of the name';
COMMENT ON COLUMN use_case.name IS 'chatbot, summarization, ...';
COMMENT ON COLUMN use_case.category IS 'Wider group';
COMMENT ON COLUMN use_case.pipeline_tag IS 'Hugging Face''s name of the task';
COMMENT ON COLUMN use_case.default_weights IS 'Weight by metric; they sum to 1';
COMMENT ON COLUMN use_case.details IS 'Everything else that is known';

-- One attempt at one benchmark on one device in one session.
CREATE TABLE run (
    run_id UUID NOT NULL,
    session_id UUID NOT NULL,
    benchmark_id UUID NOT NULL,
    device_id UUID,
    model_version_id UUID,
    framework_id UUID,
    use_case VARCHAR,
    implementation VARCHAR,
    workload VARCHAR,
    precision VARCHAR,
    batch_size BIGINT,
    sequence_length BIGINT,
    started_at TIMESTAMP NOT NULL,
    duration_s DOUBLE,
    outcome VARCHAR NOT NULL,
    reason VARCHAR,
    attempt INTEGER NOT NULL,
    worker VARCHAR,
    parallel BOOLEAN NOT NULL,
    iterations BIGINT,
    rounds BIGINT,
    warmup_rounds BIGINT,
    calls BIGINT,
    timer VARCHAR,
    sync_mode VARCHAR,
    cache_mode VARCHAR,
    provenance VARCHAR NOT NULL,
    result_count BIGINT,
    code_hash VARCHAR,
    extra_info JSON
);
COMMENT ON TABLE run IS 'One attempt at one benchmark on one device in one session';
COMMENT ON COLUMN run.run_id IS 'UUIDv7';
COMMENT ON COLUMN run.session_id IS 'The session';
COMMENT ON COLUMN run.benchmark_id IS 'The benchmark';
COMMENT ON COLUMN run.device_id IS 'The device it ran on; NULL if it never reached one';
COMMENT ON COLUMN run.model_version_id IS 'The model under test';
COMMENT ON COLUMN run.framework_id IS 'The framework it ran in';
COMMENT ON COLUMN run.use_case IS 'Name of the use case';
COMMENT ON COLUMN run.implementation IS 'Which of several implementations: python, rust, ...';
COMMENT ON COLUMN run.workload IS 'training, inference, serving, microbenchmark or scenario';
COMMENT ON COLUMN run.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN run.batch_size IS 'Items in one call';
COMMENT ON COLUMN run.sequence_length IS 'Length of one item';
COMMENT ON COLUMN run.started_at IS 'UTC';
COMMENT ON COLUMN run.duration_s IS 'Time of the test''s call phase, seconds; NULL if it never began';
COMMENT ON COLUMN run.outcome IS 'passed failed error skipped xfailed xpassed timeout oom crashed unsupported';
COMMENT ON COLUMN run.reason IS 'Why it did not pass';
COMMENT ON COLUMN run.attempt IS '1 for the first, 2 for the first rerun, ...';
COMMENT ON COLUMN run.worker IS 'Name of the xdist worker';
COMMENT ON COLUMN run.parallel IS 'Whether other tests ran beside it';
COMMENT ON COLUMN run.iterations IS 'Calls in one round';
COMMENT ON COLUMN run.rounds IS 'Timed blocks';
COMMENT ON COLUMN run.warmup_rounds IS 'Blocks thrown away before them';
COMMENT ON COLUMN run.calls IS 'Calls within the timed block, warm-up included';
COMMENT ON COLUMN run.timer IS 'Clock of the rounds';
COMMENT ON COLUMN run.sync_mode IS 'How the device was waited for';
COMMENT ON COLUMN run.cache_mode IS 'hot or cold';
COMMENT ON COLUMN run.provenance IS 'measured, imported, simulated or derived';
COMMENT ON COLUMN run.result_count IS 'Results that the benchmarked code returned; differing counts are not comparable';
COMMENT ON COLUMN run.code_hash IS 'Hash of the test''s source in this session';
COMMENT ON COLUMN run.extra_info IS 'The extra_info of the test';

-- One metric of one run; time per iteration, SI units.
CREATE TABLE measurement (
    measurement_id UUID NOT NULL,
    run_id UUID NOT NULL,
    session_id UUID NOT NULL,
    benchmark_id UUID NOT NULL,
    started_at TIMESTAMP NOT NULL,
    phase VARCHAR,
    pass VARCHAR NOT NULL,
    metric VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    better VARCHAR NOT NULL,
    provenance VARCHAR NOT NULL,
    method VARCHAR,
    valid BOOLEAN NOT NULL,
    reason VARCHAR,
    n BIGINT,
    min DOUBLE,
    max DOUBLE,
    mean DOUBLE,
    median DOUBLE,
    stddev DOUBLE,
    q1 DOUBLE,
    q3 DOUBLE,
    p90 DOUBLE,
    p95 DOUBLE,
    p99 DOUBLE,
    outliers BIGINT,
    value DOUBLE,
    device_id UUID,
    rank INTEGER,
    domain VARCHAR,
    scope VARCHAR,
    window_s DOUBLE,
    tick_s DOUBLE,
    details JSON
);
COMMENT ON TABLE measurement IS 'One metric of one run; time per iteration, SI units';
COMMENT ON COLUMN measurement.measurement_id IS 'UUIDv7';
COMMENT ON COLUMN measurement.run_id IS 'The run';
COMMENT ON COLUMN measurement.session_id IS 'The session';
COMMENT ON COLUMN measurement.benchmark_id IS 'The benchmark';
COMMENT ON COLUMN measurement.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN measurement.phase IS 'Named part of the run; NULL for the whole';
COMMENT ON COLUMN measurement.pass IS 'time, memory, energy, counters or series: what else ran while it was taken';
COMMENT ON COLUMN measurement.metric IS 'A name of the table metric';
COMMENT ON COLUMN measurement.unit IS 'SI unit';
COMMENT ON COLUMN measurement.better IS 'lower, higher or none';
COMMENT ON COLUMN measurement.provenance IS 'measured, imported, simulated or derived';
COMMENT ON COLUMN measurement.method IS 'How it was taken';
COMMENT ON COLUMN measurement.valid IS 'Whether it may be compared: the run passed and its rounds are whole';
COMMENT ON COLUMN measurement.reason IS 'Why it is missing or not valid';
COMMENT ON COLUMN measurement.n IS 'Number of rounds; 1 for a single reading; NULL if not measured';
COMMENT ON COLUMN measurement.min IS 'Smallest round';
COMMENT ON COLUMN measurement.max IS 'Largest round';
COMMENT ON COLUMN measurement.mean IS 'Arithmetic mean of the rounds';
COMMENT ON COLUMN measurement.median IS 'Median of the rounds';
COMMENT ON COLUMN measurement.stddev IS 'Sample standard deviation of the rounds; NULL for fewer than 2';
COMMENT ON COLUMN measurement.q1 IS 'First quartile, linear interpolation';
COMMENT ON COLUMN measurement.q3 IS 'Third quartile, linear interpolation';
COMMENT ON COLUMN measurement.p90 IS '90th percentile, linear interpolation';
COMMENT ON COLUMN measurement.p95 IS '95th percentile, linear interpolation';
COMMENT ON COLUMN measurement.p99 IS '99th percentile, linear interpolation';
COMMENT ON COLUMN measurement.outliers IS 'Rounds more than 1.5 interquartile ranges outside the quartiles';
COMMENT ON COLUMN measurement.value IS 'The figure to show: the median of the rounds, or the single reading; NULL if not measured';
COMMENT ON COLUMN measurement.device_id IS 'The device it belongs to, where that is not the run''s';
COMMENT ON COLUMN measurement.rank IS 'Rank of a distributed run; NULL for the whole';
COMMENT ON COLUMN measurement.domain IS 'The sensor it comes from; NULL for clocks and counters of the process';
COMMENT ON COLUMN measurement.scope IS 'What the sensor covers: process, device, package, module, board or system';
COMMENT ON COLUMN measurement.window_s IS 'Length of the window in which a counter was watched, seconds';
COMMENT ON COLUMN measurement.tick_s IS 'How often that counter changes, seconds';
COMMENT ON COLUMN measurement.details IS 'Everything else that shows how far the figure can be trusted';

-- Raw rounds of a measurement, at most 1,024 in a row.
CREATE TABLE round_chunk (
    measurement_id UUID NOT NULL,
    session_id UUID NOT NULL,
    benchmark_id UUID NOT NULL,
    started_at TIMESTAMP NOT NULL,
    chunk INTEGER NOT NULL,
    round_ns BIGINT[],
    value DOUBLE[]
);
COMMENT ON TABLE round_chunk IS 'Raw rounds of a measurement, at most 1,024 in a row';
COMMENT ON COLUMN round_chunk.measurement_id IS 'The measurement';
COMMENT ON COLUMN round_chunk.session_id IS 'The session';
COMMENT ON COLUMN round_chunk.benchmark_id IS 'The benchmark';
COMMENT ON COLUMN round_chunk.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN round_chunk.chunk IS '0, 1, 2, ... in run order';
COMMENT ON COLUMN round_chunk.round_ns IS 'Whole nanoseconds of each round, all its iterations; NULL for metrics that are not time';
COMMENT ON COLUMN round_chunk.value IS 'Value of each round in the metric''s unit; NULL for time';

-- A metric over time within a run, in chunks.
CREATE TABLE series (
    run_id UUID NOT NULL,
    session_id UUID NOT NULL,
    device_id UUID,
    phase VARCHAR,
    metric VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    domain VARCHAR,
    provenance VARCHAR NOT NULL,
    chunk INTEGER NOT NULL,
    t_s DOUBLE[],
    value DOUBLE[]
);
COMMENT ON TABLE series IS 'A metric over time within a run, in chunks';
COMMENT ON COLUMN series.run_id IS 'The run';
COMMENT ON COLUMN series.session_id IS 'The session';
COMMENT ON COLUMN series.device_id IS 'The device';
COMMENT ON COLUMN series.phase IS 'Named part of the run';
COMMENT ON COLUMN series.metric IS 'A name of the table metric';
COMMENT ON COLUMN series.unit IS 'SI unit';
COMMENT ON COLUMN series.domain IS 'The sensor it comes from';
COMMENT ON COLUMN series.provenance IS 'measured, imported, simulated or derived';
COMMENT ON COLUMN series.chunk IS '0, 1, 2, ... in time order';
COMMENT ON COLUMN series.t_s IS 'Seconds since the start of the run';
COMMENT ON COLUMN series.value IS 'Value at that time';

-- One request of a token stream.
CREATE TABLE request (
    run_id UUID NOT NULL,
    session_id UUID NOT NULL,
    request INTEGER NOT NULL,
    phase VARCHAR,
    provenance VARCHAR NOT NULL,
    queued_s DOUBLE,
    sent_s DOUBLE,
    chunk_s DOUBLE[],
    tokens_in BIGINT,
    tokens_out BIGINT,
    ok BOOLEAN NOT NULL,
    slo_ok BOOLEAN,
    error VARCHAR
);
COMMENT ON TABLE request IS 'One request of a token stream';
COMMENT ON COLUMN request.run_id IS 'The run';
COMMENT ON COLUMN request.session_id IS 'The session';
COMMENT ON COLUMN request.request IS '0, 1, 2, ... in the order of sending';
COMMENT ON COLUMN request.phase IS 'Named part of the run';
COMMENT ON COLUMN request.provenance IS 'measured, imported, simulated or derived';
COMMENT ON COLUMN request.queued_s IS 'When it was due, seconds since the start of the run';
COMMENT ON COLUMN request.sent_s IS 'When it was sent, seconds since the start of the run';
COMMENT ON COLUMN request.chunk_s IS 'When each chunk came, seconds since the start of the run';
COMMENT ON COLUMN request.tokens_in IS 'Tokens of the prompt';
COMMENT ON COLUMN request.tokens_out IS 'Tokens of the answer';
COMMENT ON COLUMN request.ok IS 'Whether it was answered whole';
COMMENT ON COLUMN request.slo_ok IS 'Whether it met every objective; NULL without objectives';
COMMENT ON COLUMN request.error IS 'Why it failed';

-- Every metric in this file: one unit and one direction each.
CREATE TABLE metric (
    metric VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    better VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    description VARCHAR
);
COMMENT ON TABLE metric IS 'Every metric in this file: one unit and one direction each';
COMMENT ON COLUMN metric.metric IS 'Its name';
COMMENT ON COLUMN metric.unit IS 'SI unit';
COMMENT ON COLUMN metric.better IS 'lower, higher or none';
COMMENT ON COLUMN metric.kind IS 'time, memory, energy, power, rate, count, temperature, ratio, frequency or other';
COMMENT ON COLUMN metric.description IS 'Its meaning';

-- A file that was imported, or a session file that was folded into this history.
CREATE TABLE source_file (
    source_file_id UUID NOT NULL,
    session_id UUID,
    path VARCHAR NOT NULL,
    checksum VARCHAR,
    importer VARCHAR NOT NULL,
    row_count BIGINT,
    reason VARCHAR,
    seen_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE source_file IS 'A file that was imported, or a session file that was folded into this history';
COMMENT ON COLUMN source_file.source_file_id IS 'Content hash of path and session; of an annotation its id';
COMMENT ON COLUMN source_file.session_id IS 'The session it became';
COMMENT ON COLUMN source_file.path IS 'Path as given';
COMMENT ON COLUMN source_file.checksum IS 'BLAKE2b of its bytes';
COMMENT ON COLUMN source_file.importer IS 'The importer that read it';
COMMENT ON COLUMN source_file.row_count IS 'Rows taken from it';
COMMENT ON COLUMN source_file.reason IS 'Why it was not taken, wholly or in part';
COMMENT ON COLUMN source_file.seen_at IS 'UTC';

-- A named point of reference.
CREATE TABLE baseline (
    baseline_id UUID NOT NULL,
    project VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    spec VARCHAR NOT NULL,
    session_id UUID,
    created_at TIMESTAMP NOT NULL,
    removed_at TIMESTAMP
);
COMMENT ON TABLE baseline IS 'A named point of reference';
COMMENT ON COLUMN baseline.baseline_id IS 'UUIDv7';
COMMENT ON COLUMN baseline.project IS 'Project it belongs to';
COMMENT ON COLUMN baseline.name IS 'Its name';
COMMENT ON COLUMN baseline.spec IS 'The SPEC that was given';
COMMENT ON COLUMN baseline.session_id IS 'The session it stood for when it was set';
COMMENT ON COLUMN baseline.created_at IS 'UTC';
COMMENT ON COLUMN baseline.removed_at IS 'UTC; NULL while it is in force';

-- An accepted change of level: the history before it is not a baseline.
CREATE TABLE acceptance (
    acceptance_id UUID NOT NULL,
    benchmark_id UUID,
    pattern VARCHAR,
    metric VARCHAR,
    fingerprint UUID,
    since_session_id UUID,
    reason VARCHAR NOT NULL,
    author VARCHAR,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP
);
COMMENT ON TABLE acceptance IS 'An accepted change of level: the history before it is not a baseline';
COMMENT ON COLUMN acceptance.acceptance_id IS 'UUIDv7';
COMMENT ON COLUMN acceptance.benchmark_id IS 'The benchmark; NULL for all that pattern matches';
COMMENT ON COLUMN acceptance.pattern IS 'Glob of full names';
COMMENT ON COLUMN acceptance.metric IS 'The metric; NULL for all';
COMMENT ON COLUMN acceptance.fingerprint IS 'The machine; NULL for all';
COMMENT ON COLUMN acceptance.since_session_id IS 'First session of the new level';
COMMENT ON COLUMN acceptance.reason IS 'Why it is accepted';
COMMENT ON COLUMN acceptance.author IS 'Who accepted it';
COMMENT ON COLUMN acceptance.created_at IS 'UTC';
COMMENT ON COLUMN acceptance.expires_at IS 'UTC; NULL for never';

-- Sessions that are not part of the history, or are again.
CREATE TABLE exclusion (
    exclusion_id UUID NOT NULL,
    session_ids UUID[] NOT NULL,
    spec VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    author VARCHAR,
    created_at TIMESTAMP NOT NULL,
    removed_at TIMESTAMP
);
COMMENT ON TABLE exclusion IS 'Sessions that are not part of the history, or are again; the newest row with a session counts';
COMMENT ON COLUMN exclusion.exclusion_id IS 'UUIDv7';
COMMENT ON COLUMN exclusion.session_ids IS 'The sessions';
COMMENT ON COLUMN exclusion.spec IS 'As the user wrote them';
COMMENT ON COLUMN exclusion.reason IS 'Why they are excluded';
COMMENT ON COLUMN exclusion.author IS 'Who excluded them';
COMMENT ON COLUMN exclusion.created_at IS 'UTC';
COMMENT ON COLUMN exclusion.removed_at IS 'UTC; NULL while they are excluded';

-- Free text about a session, a run or a benchmark.
CREATE TABLE note (
    note_id UUID NOT NULL,
    session_id UUID,
    run_id UUID,
    benchmark_id UUID,
    author VARCHAR,
    created_at TIMESTAMP NOT NULL,
    text VARCHAR NOT NULL
);
COMMENT ON TABLE note IS 'Free text about a session, a run or a benchmark';
COMMENT ON COLUMN note.note_id IS 'UUIDv7';
COMMENT ON COLUMN note.session_id IS 'The session it is about';
COMMENT ON COLUMN note.run_id IS 'The run it is about';
COMMENT ON COLUMN note.benchmark_id IS 'The benchmark it is about';
COMMENT ON COLUMN note.author IS 'Who wrote it';
COMMENT ON COLUMN note.created_at IS 'UTC';
COMMENT ON COLUMN note.text IS 'The note';

-- A file kept beside the store, by its hash.
CREATE TABLE attachment (
    attachment_id UUID NOT NULL,
    session_id UUID NOT NULL,
    run_id UUID,
    name VARCHAR NOT NULL,
    media_type VARCHAR,
    checksum VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE attachment IS 'A file kept beside the store, by its hash';
COMMENT ON COLUMN attachment.attachment_id IS 'UUIDv7';
COMMENT ON COLUMN attachment.session_id IS 'The session';
COMMENT ON COLUMN attachment.run_id IS 'The run';
COMMENT ON COLUMN attachment.name IS 'Name to show';
COMMENT ON COLUMN attachment.media_type IS 'MIME type';
COMMENT ON COLUMN attachment.checksum IS 'BLAKE2b of its bytes; also its name beside the store';
COMMENT ON COLUMN attachment.size_bytes IS 'Size, bytes';
COMMENT ON COLUMN attachment.created_at IS 'UTC';

-- Views. A figure that is not there is NULL; only `report`, `test_results` and `hardware_compatibility`
-- show runs that did not pass. Units other than SI are in the column's name.

-- Every measurement's rounds in run order, per iteration.
CREATE VIEW samples AS
SELECT
    run_id,
    phase,
    metric,
    unit,
    CASE
        WHEN round_ns IS NOT NULL THEN list_transform(round_ns, LAMBDA ns: ns / 1e9 / iterations)
        ELSE value
    END AS samples,
    pass,
    session_id,
    measurement_id
FROM (
    SELECT
        measurement.run_id,
        measurement.phase,
        measurement.metric,
        measurement.unit,
        measurement.pass,
        measurement.session_id,
        measurement.measurement_id,
        coalesce(any_value(run.iterations), 1) AS iterations,
        flatten(list(round_chunk.round_ns ORDER BY round_chunk.chunk) FILTER (WHERE round_chunk.round_ns IS NOT NULL))
            AS round_ns,
        flatten(list(round_chunk.value ORDER BY round_chunk.chunk) FILTER (WHERE round_chunk.value IS NOT NULL))
            AS value
    FROM measurement
    INNER JOIN run
        ON run.run_id = measurement.run_id AND run.session_id = measurement.session_id
    INNER JOIN round_chunk
        ON round_chunk.measurement_id = measurement.measurement_id AND round_chunk.session_id = measurement.session_id
    GROUP BY ALL
);
COMMENT ON VIEW samples IS 'Every measurement''s rounds in run order; time per iteration in seconds';
COMMENT ON COLUMN samples.run_id IS 'The run';
COMMENT ON COLUMN samples.phase IS 'Named part of the run; NULL for the whole';
COMMENT ON COLUMN samples.metric IS 'A name of the table metric';
COMMENT ON COLUMN samples.unit IS 'SI unit of the values';
COMMENT ON COLUMN samples.samples IS 'One value per round, in run order, warm-up excluded';
COMMENT ON COLUMN samples.pass IS 'time, memory, energy, counters or series: what else ran while it was taken';
COMMENT ON COLUMN samples.session_id IS 'The session';
COMMENT ON COLUMN samples.measurement_id IS 'The measurement';

-- One run as reports show it, whatever its outcome. Its figures are those of one metric, the main one: the wall time of
-- the whole run; without a valid one its steps, its requests or the device's own time; the CPU time if its timer has
-- no other; else one of its phases (steps and requests first, then the outermost, then the longest).
CREATE VIEW report AS
WITH figures AS (
    SELECT
        run_id,
        session_id,
        started_at,
        metric,
        phase,
        valid,
        reason,
        n,
        CASE WHEN valid THEN min END AS min,
        CASE WHEN valid THEN max END AS max,
        CASE WHEN valid THEN mean END AS mean,
        CASE WHEN valid THEN value END AS value,
        CASE WHEN valid THEN stddev END AS stddev,
        CASE WHEN valid THEN q1 END AS q1,
        CASE WHEN valid THEN q3 END AS q3,
        CASE WHEN valid THEN p90 END AS p90,
        CASE WHEN valid THEN p95 END AS p95,
        CASE WHEN valid THEN p99 END AS p99,
        CASE WHEN valid THEN outliers END AS outliers
    FROM measurement
    WHERE
        pass = 'time' AND rank IS NULL
        AND (
            metric IN ('wall_time', 'step_time', 'e2e_latency')
            OR (metric IN ('device_time', 'cpu_time') AND phase IS NULL)
        )
    QUALIFY row_number() OVER (
        PARTITION BY session_id, run_id, started_at
        ORDER BY
            phase IS NOT NULL,
            metric = 'cpu_time',
            NOT valid,
            CASE
                WHEN metric = 'wall_time' AND phase IS NULL THEN 0
                WHEN metric = 'step_time' THEN 1
                WHEN metric = 'e2e_latency' THEN 2
                ELSE 3
            END,
            len(phase) - len(replace(phase, '/', '')),
            n * coalesce(mean, value) DESC NULLS LAST,
            phase
    ) = 1
),

-- What else was measured of the same part of a run.
beside AS (
    SELECT
        run_id,
        session_id,
        started_at,
        phase,
        max(value) FILTER (WHERE metric = 'cpu_time' AND provenance <> 'derived') AS cpu_time,
        max(value) FILTER (WHERE metric = 'peak_rss') AS peak_rss,
        -- Reading the clocks takes about 1 us, which would be a large part of a shorter block.
        max(value) FILTER (WHERE metric = 'block_cpu_time')
        / max(value) FILTER (WHERE metric = 'block_wall_time' AND value >= 1e-4) AS cpu_per_wall,
        coalesce(
            max(value) FILTER (WHERE metric = 'throughput'), max(value) FILTER (WHERE metric = 'requests_per_second')
        ) AS throughput,
        max(value) FILTER (WHERE metric = 'device_peak') AS device_peak,
        max(value) FILTER (WHERE metric = 'first_call_time') AS first_call
    FROM measurement
    WHERE
        metric IN (
            'cpu_time',
            'peak_rss',
            'block_cpu_time',
            'block_wall_time',
            'throughput',
            'requests_per_second',
            'device_peak',
            'first_call_time'
        )
        AND pass = 'time' AND rank IS NULL AND valid
    GROUP BY run_id, session_id, started_at, phase
),

-- Rows with a domain are single counters; some of them include others.
energy AS (
    SELECT
        run_id,
        session_id,
        started_at,
        phase,
        CASE WHEN valid THEN value END AS value,
        CASE WHEN value IS NULL OR NOT valid THEN reason END AS reason
    FROM measurement
    WHERE metric = 'energy' AND rank IS NULL AND domain IS NULL
    QUALIFY row_number() OVER (
        PARTITION BY session_id, run_id, started_at, phase ORDER BY pass <> 'energy', measurement_id
    ) = 1
)

SELECT
    run.run_id,
    run.session_id,
    run.benchmark_id,
    run.started_at,
    benchmark.project,
    benchmark.fullname,
    benchmark.name,
    benchmark.group_name,
    device.backend,
    device.name AS device,
    model.name AS model,
    model_version.version AS model_version,
    framework.name AS framework,
    run.implementation,
    run.workload,
    run.precision,
    run.batch_size,
    run.sequence_length,
    run.outcome,
    coalesce(run.reason, figures.reason) AS reason,
    coalesce(figures.valid, run.outcome = 'passed') AS valid,
    run.provenance,
    run.attempt,
    run.worker,
    run.parallel,
    figures.metric AS main_metric,
    figures.phase AS main_phase,
    figures.min AS min_s,
    figures.max AS max_s,
    figures.mean AS mean_s,
    figures.value AS median_s,
    figures.stddev AS stddev_s,
    figures.q1 AS q1_s,
    figures.q3 AS q3_s,
    figures.p90 AS p90_s,
    figures.p95 AS p95_s,
    figures.p99 AS p99_s,
    figures.outliers,
    beside.first_call AS first_call_s,
    beside.cpu_time AS cpu_s,
    beside.cpu_per_wall,
    beside.throughput,
    energy.value AS energy_j,
    energy.reason AS energy_reason,
    beside.peak_rss AS peak_rss_bytes,
    beside.device_peak AS device_peak_bytes,
    CASE WHEN figures.phase IS NULL AND figures.metric IN ('wall_time', 'cpu_time') THEN run.rounds ELSE figures.n END
        AS rounds,
    CASE WHEN figures.phase IS NULL AND figures.metric IN ('wall_time', 'cpu_time') THEN run.iterations END
        AS iterations
FROM run
LEFT JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
LEFT JOIN framework ON framework.framework_id = run.framework_id
LEFT JOIN figures
    ON figures.run_id = run.run_id AND figures.session_id = run.session_id AND figures.started_at = run.started_at
LEFT JOIN beside
    ON beside.run_id = run.run_id AND beside.session_id = run.session_id AND beside.started_at = run.started_at
    AND beside.phase IS NOT DISTINCT FROM figures.phase
LEFT JOIN energy
    ON energy.run_id = run.run_id AND energy.session_id = run.session_id AND energy.started_at = run.started_at
    AND energy.phase IS NOT DISTINCT FROM figures.phase;
COMMENT ON VIEW report IS 'One run as reports show it, whatever its outcome; figures only where they may be compared';
COMMENT ON COLUMN report.run_id IS 'The run';
COMMENT ON COLUMN report.session_id IS 'The session';
COMMENT ON COLUMN report.benchmark_id IS 'The benchmark';
COMMENT ON COLUMN report.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN report.project IS 'Project of the benchmark';
COMMENT ON COLUMN report.fullname IS 'Path from the project''s root, names and parameters';
COMMENT ON COLUMN report.name IS 'Function and parameters';
COMMENT ON COLUMN report.group_name IS 'Group, as last seen';
COMMENT ON COLUMN report.backend IS 'Kind of hardware: cpu, cuda, ...';
COMMENT ON COLUMN report.device IS 'The vendor''s name of the device';
COMMENT ON COLUMN report.model IS 'Name of the model';
COMMENT ON COLUMN report.model_version IS 'Its version';
COMMENT ON COLUMN report.framework IS 'Name of the framework';
COMMENT ON COLUMN report.implementation IS 'Which of several implementations';
COMMENT ON COLUMN report.workload IS 'training, inference, serving, microbenchmark or scenario';
COMMENT ON COLUMN report.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN report.batch_size IS 'Items in one call';
COMMENT ON COLUMN report.sequence_length IS 'Length of one item';
COMMENT ON COLUMN report.outcome IS 'Outcome of the run';
COMMENT ON COLUMN report.reason IS 'Why it did not pass, or why it has no valid figures';
COMMENT ON COLUMN report.valid IS 'Whether its main metric may be compared; without one, whether it passed';
COMMENT ON COLUMN report.provenance IS 'measured, imported, simulated or derived';
COMMENT ON COLUMN report.attempt IS '1 for the first, 2 for the first rerun, ...';
COMMENT ON COLUMN report.worker IS 'Name of the xdist worker';
COMMENT ON COLUMN report.parallel IS 'Whether other tests ran beside it';
COMMENT ON COLUMN report.main_metric IS 'Metric of the times: wall_time; of runs without, step_time, e2e_latency (of one request), device_time or cpu_time; NULL if nothing was timed';
COMMENT ON COLUMN report.main_phase IS 'The part of the run that the figures belong to; NULL for the whole';
COMMENT ON COLUMN report.min_s IS 'Fastest round, seconds per iteration';
COMMENT ON COLUMN report.max_s IS 'Slowest round, seconds per iteration';
COMMENT ON COLUMN report.mean_s IS 'Mean of the rounds, seconds per iteration';
COMMENT ON COLUMN report.median_s IS 'Median of the rounds, or the single reading, seconds per iteration';
COMMENT ON COLUMN report.stddev_s IS 'Sample standard deviation of the rounds, seconds per iteration';
COMMENT ON COLUMN report.q1_s IS 'First quartile, seconds per iteration';
COMMENT ON COLUMN report.q3_s IS 'Third quartile, seconds per iteration';
COMMENT ON COLUMN report.p90_s IS '90th percentile, seconds per iteration';
COMMENT ON COLUMN report.p95_s IS '95th percentile, seconds per iteration';
COMMENT ON COLUMN report.p99_s IS '99th percentile, seconds per iteration';
COMMENT ON COLUMN report.outliers IS 'Rounds more than 1.5 interquartile ranges outside the quartiles';
COMMENT ON COLUMN report.first_call_s IS 'Wall-clock time of the first call, compilation included, seconds';
COMMENT ON COLUMN report.cpu_s IS 'CPU time of the process for one call, seconds; NULL unless measured for the call alone';
COMMENT ON COLUMN report.cpu_per_wall IS 'CPU time of the process per wall-clock time of the timed block; NULL for blocks below 100 us';
COMMENT ON COLUMN report.throughput IS 'Items, or requests of a token stream, handled per second; NULL if not measured';
COMMENT ON COLUMN report.energy_j IS 'Energy of one iteration, joules, of the device as a whole; NULL unless valid';
COMMENT ON COLUMN report.energy_reason IS 'Why energy that was asked for is not there';
COMMENT ON COLUMN report.peak_rss_bytes IS 'Peak resident set in the timed block, bytes';
COMMENT ON COLUMN report.device_peak_bytes IS 'Peak of the memory that the device''s allocator had handed out, bytes';
COMMENT ON COLUMN report.rounds IS 'Timed blocks; of another main metric, its samples';
COMMENT ON COLUMN report.iterations IS 'Calls in one round';

-- One passed run with figures that may be compared: the view to start from.
CREATE VIEW benchmark_performance AS
SELECT
    report.session_id,
    report.run_id,
    report.started_at,
    report.project,
    report.fullname AS benchmark,
    report.name,
    report.group_name,
    report.model,
    report.model_version,
    report.framework,
    report.implementation,
    report.workload,
    report.device AS hardware,
    report.backend,
    report.precision,
    report.batch_size,
    report.sequence_length,
    CASE WHEN report.main_metric = 'wall_time' AND report.main_phase IS NULL THEN report.median_s END AS latency_s,
    CASE WHEN report.main_metric = 'wall_time' AND report.main_phase IS NULL THEN report.mean_s END AS latency_mean_s,
    coalesce(rate.value, 1 / nullif(latency_s, 0)) AS throughput,
    CASE WHEN rate.value IS NOT NULL THEN 'items/s' WHEN latency_s > 0 THEN 'calls/s' END AS throughput_unit,
    report.cpu_s AS cpu_time_s,
    report.peak_rss_bytes AS memory_peak_bytes,
    device_peak.value AS device_memory_peak_bytes,
    report.rounds,
    report.iterations,
    session.commit_sha,
    session.branch,
    session.fingerprint,
    report.provenance
FROM report
INNER JOIN session ON session.session_id = report.session_id
LEFT JOIN (
    SELECT run_id, session_id, started_at, value
    FROM measurement
    WHERE metric = 'throughput' AND pass = 'time' AND phase IS NULL AND rank IS NULL AND valid
) AS rate
    ON rate.run_id = report.run_id AND rate.session_id = report.session_id AND rate.started_at = report.started_at
LEFT JOIN (
    SELECT run_id, session_id, started_at, value
    FROM measurement
    WHERE metric = 'device_peak' AND pass = 'time' AND phase IS NULL AND rank IS NULL AND valid
) AS device_peak
    ON device_peak.run_id = report.run_id AND device_peak.session_id = report.session_id
    AND device_peak.started_at = report.started_at
WHERE report.outcome = 'passed' AND report.valid AND report.provenance <> 'simulated';
COMMENT ON VIEW benchmark_performance IS 'One passed run, measured or imported, whose figures may be compared';
COMMENT ON COLUMN benchmark_performance.session_id IS 'The session';
COMMENT ON COLUMN benchmark_performance.run_id IS 'The run';
COMMENT ON COLUMN benchmark_performance.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN benchmark_performance.project IS 'Project of the benchmark';
COMMENT ON COLUMN benchmark_performance.benchmark IS 'Full name of the benchmark';
COMMENT ON COLUMN benchmark_performance.name IS 'Function and parameters';
COMMENT ON COLUMN benchmark_performance.group_name IS 'Group, as last seen';
COMMENT ON COLUMN benchmark_performance.model IS 'Name of the model; NULL without one';
COMMENT ON COLUMN benchmark_performance.model_version IS 'Its version';
COMMENT ON COLUMN benchmark_performance.framework IS 'Name of the framework';
COMMENT ON COLUMN benchmark_performance.implementation IS 'Which of several implementations';
COMMENT ON COLUMN benchmark_performance.workload IS 'training, inference, serving, microbenchmark or scenario';
COMMENT ON COLUMN benchmark_performance.hardware IS 'The vendor''s name of the device';
COMMENT ON COLUMN benchmark_performance.backend IS 'Kind of hardware: cpu, cuda, ...';
COMMENT ON COLUMN benchmark_performance.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN benchmark_performance.batch_size IS 'Items in one call';
COMMENT ON COLUMN benchmark_performance.sequence_length IS 'Length of one item';
COMMENT ON COLUMN benchmark_performance.latency_s IS 'Median wall time of one iteration, seconds';
COMMENT ON COLUMN benchmark_performance.latency_mean_s IS 'Mean wall time of one iteration, seconds';
COMMENT ON COLUMN benchmark_performance.throughput IS 'The throughput that the run measured, else 1 / latency_s';
COMMENT ON COLUMN benchmark_performance.throughput_unit IS 'items/s where it was measured, calls/s where it is 1 / latency_s';
COMMENT ON COLUMN benchmark_performance.cpu_time_s IS 'CPU time of the process for one call, seconds; NULL unless measured for the call alone';
COMMENT ON COLUMN benchmark_performance.memory_peak_bytes IS 'Peak resident set in the timed block, bytes';
COMMENT ON COLUMN benchmark_performance.device_memory_peak_bytes IS 'Peak of the device''s allocator, bytes';
COMMENT ON COLUMN benchmark_performance.rounds IS 'Timed blocks';
COMMENT ON COLUMN benchmark_performance.iterations IS 'Calls in one round';
COMMENT ON COLUMN benchmark_performance.commit_sha IS 'Full hash of HEAD';
COMMENT ON COLUMN benchmark_performance.branch IS 'Branch';
COMMENT ON COLUMN benchmark_performance.fingerprint IS 'Results of different fingerprints are not compared';
COMMENT ON COLUMN benchmark_performance.provenance IS 'measured, imported or derived';

-- The same runs under the column names of older benchmark databases.
CREATE VIEW performance_results AS
SELECT
    performance.run_id AS result_id,
    performance.session_id,
    performance.started_at AS created_at,
    model_version.model_id,
    run.device_id AS hardware_id,
    performance.model AS model_name,
    performance.backend AS hardware_type,
    performance.hardware AS device_name,
    performance.benchmark AS test_case,
    performance.batch_size,
    performance.precision,
    block.value AS total_time_seconds,
    performance.latency_mean_s * 1e3 AS average_latency_ms,
    CASE WHEN performance.throughput_unit = 'items/s' THEN performance.throughput END AS throughput_items_per_second,
    performance.memory_peak_bytes / 1e6 AS memory_peak_mb,
    performance.iterations,
    run.warmup_rounds AS warmup_iterations,
    run.extra_info AS metrics
FROM benchmark_performance AS performance
INNER JOIN run ON run.run_id = performance.run_id AND run.session_id = performance.session_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN measurement AS block
    ON block.run_id = performance.run_id AND block.session_id = performance.session_id
    AND block.metric = 'block_wall_time' AND block.pass = 'time' AND block.phase IS NULL AND block.valid;
COMMENT ON VIEW performance_results IS 'benchmark_performance under the column names of older benchmark databases';
COMMENT ON COLUMN performance_results.result_id IS 'The run';
COMMENT ON COLUMN performance_results.session_id IS 'The session';
COMMENT ON COLUMN performance_results.created_at IS 'Start of the run, UTC';
COMMENT ON COLUMN performance_results.model_id IS 'The model';
COMMENT ON COLUMN performance_results.hardware_id IS 'The device';
COMMENT ON COLUMN performance_results.model_name IS 'Name of the model';
COMMENT ON COLUMN performance_results.hardware_type IS 'Backend: cpu, cuda, ...';
COMMENT ON COLUMN performance_results.device_name IS 'The vendor''s name of the device';
COMMENT ON COLUMN performance_results.test_case IS 'Full name of the benchmark';
COMMENT ON COLUMN performance_results.batch_size IS 'Items in one call';
COMMENT ON COLUMN performance_results.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN performance_results.total_time_seconds IS 'Wall time of the whole timed block';
COMMENT ON COLUMN performance_results.average_latency_ms IS 'Mean wall time of one iteration';
COMMENT ON COLUMN performance_results.throughput_items_per_second IS 'The throughput that the run measured; NULL if it measured none';
COMMENT ON COLUMN performance_results.memory_peak_mb IS 'Peak resident set, 1 MB = 1e6 bytes';
COMMENT ON COLUMN performance_results.iterations IS 'Calls in one round';
COMMENT ON COLUMN performance_results.warmup_iterations IS 'Rounds thrown away before the measured ones';
COMMENT ON COLUMN performance_results.metrics IS 'The extra_info of the test';

-- One run, whatever its outcome, under the column names of older benchmark databases.
CREATE VIEW test_results AS
SELECT
    report.run_id AS result_id,
    report.session_id,
    report.started_at AS test_date,
    report.fullname AS test_name,
    report.workload AS test_type,
    report.model AS model_name,
    model.family AS model_family,
    report.backend AS hardware_type,
    report.device AS device_name,
    report.outcome AS status,
    CASE WHEN report.outcome NOT IN ('skipped', 'unsupported') THEN report.outcome IN ('passed', 'xpassed') END
        AS success,
    report.reason AS error_message,
    run.duration_s AS execution_time_seconds,
    report.peak_rss_bytes / 1e6 AS memory_usage_mb,
    report.provenance = 'simulated' AS is_simulated,
    run.extra_info AS details
FROM report
INNER JOIN run ON run.run_id = report.run_id AND run.session_id = report.session_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id;
COMMENT ON VIEW test_results IS 'One run, whatever its outcome, under the column names of older benchmark databases';
COMMENT ON COLUMN test_results.result_id IS 'The run';
COMMENT ON COLUMN test_results.session_id IS 'The session';
COMMENT ON COLUMN test_results.test_date IS 'Start of the run, UTC';
COMMENT ON COLUMN test_results.test_name IS 'Full name of the benchmark';
COMMENT ON COLUMN test_results.test_type IS 'Workload';
COMMENT ON COLUMN test_results.model_name IS 'Name of the model';
COMMENT ON COLUMN test_results.model_family IS 'Its family';
COMMENT ON COLUMN test_results.hardware_type IS 'Backend: cpu, cuda, ...';
COMMENT ON COLUMN test_results.device_name IS 'The vendor''s name of the device';
COMMENT ON COLUMN test_results.status IS 'Outcome of the run';
COMMENT ON COLUMN test_results.success IS 'Whether it passed; NULL if it did not run';
COMMENT ON COLUMN test_results.error_message IS 'Why it did not pass';
COMMENT ON COLUMN test_results.execution_time_seconds IS 'Time of the test''s call phase';
COMMENT ON COLUMN test_results.memory_usage_mb IS 'Peak resident set, 1 MB = 1e6 bytes';
COMMENT ON COLUMN test_results.is_simulated IS 'Whether its figures are simulated';
COMMENT ON COLUMN test_results.details IS 'The extra_info of the test';

-- One device.
CREATE VIEW hardware_platforms AS
SELECT
    device.device_id AS hardware_id,
    device.backend AS hardware_type,
    device.name AS device_name,
    any_value(device.driver) AS driver_version,
    any_value(device.memory_bytes) / 1e9 AS memory_gb,
    any_value(device.details) AS metadata,
    count(run.run_id) AS runs,
    count(DISTINCT run.session_id) AS sessions,
    min(run.started_at) AS first_seen_at,
    max(run.started_at) AS last_seen_at
FROM device
LEFT JOIN run ON run.device_id = device.device_id
GROUP BY device.device_id, device.backend, device.name;
COMMENT ON VIEW hardware_platforms IS 'One device and when it was used';
COMMENT ON COLUMN hardware_platforms.hardware_id IS 'The device';
COMMENT ON COLUMN hardware_platforms.hardware_type IS 'Backend: cpu, cuda, ...';
COMMENT ON COLUMN hardware_platforms.device_name IS 'The vendor''s name of it';
COMMENT ON COLUMN hardware_platforms.driver_version IS 'Version of the driver';
COMMENT ON COLUMN hardware_platforms.memory_gb IS 'Its memory, 1 GB = 1e9 bytes';
COMMENT ON COLUMN hardware_platforms.metadata IS 'Everything else that was read';
COMMENT ON COLUMN hardware_platforms.runs IS 'Runs on it';
COMMENT ON COLUMN hardware_platforms.sessions IS 'Sessions that used it';
COMMENT ON COLUMN hardware_platforms.first_seen_at IS 'Start of the first run on it, UTC';
COMMENT ON COLUMN hardware_platforms.last_seen_at IS 'Start of the last run on it, UTC';

-- One model with its versions.
CREATE VIEW models AS
SELECT
    model.model_id,
    model.name AS model_name,
    any_value(model.family) AS model_family,
    any_value(model.modality) AS modality,
    any_value(model.architecture) AS architecture,
    any_value(model.source) AS source,
    any_value(model.base_model) AS base_model,
    any_value(model.parameters) / 1e6 AS parameters_million,
    list_sort(list(DISTINCT model_version.version) FILTER (WHERE model_version.version IS NOT NULL)) AS versions,
    list_sort(list(DISTINCT model_version.precision) FILTER (WHERE model_version.precision IS NOT NULL)) AS precisions,
    any_value(model.details) AS metadata
FROM model
LEFT JOIN model_version ON model_version.model_id = model.model_id
GROUP BY model.model_id, model.name;
COMMENT ON VIEW models IS 'One model with its versions and precisions';
COMMENT ON COLUMN models.model_id IS 'The model';
COMMENT ON COLUMN models.model_name IS 'Its name';
COMMENT ON COLUMN models.model_family IS 'Its family';
COMMENT ON COLUMN models.modality IS 'text, vision, audio, multimodal';
COMMENT ON COLUMN models.architecture IS 'Name of the architecture';
COMMENT ON COLUMN models.source IS 'Where it comes from';
COMMENT ON COLUMN models.base_model IS 'The model it was tuned from';
COMMENT ON COLUMN models.parameters_million IS 'Parameters, millions';
COMMENT ON COLUMN models.versions IS 'Its versions; NULL without any';
COMMENT ON COLUMN models.precisions IS 'Its precisions; NULL without any';
COMMENT ON COLUMN models.metadata IS 'Everything else that is known';

-- One model, or one benchmark without a model, on one backend: what its latest runs came to, by the rule of
-- `analysis.compatibility.state_of`.
CREATE VIEW hardware_compatibility AS
WITH latest AS (
    SELECT
        coalesce(model.name, benchmark.fullname) AS subject,
        model.name AS model,
        CASE WHEN model.name IS NULL THEN benchmark.fullname END AS benchmark,
        device.backend,
        arg_max(run.outcome, (run.started_at, run.attempt, run.run_id)) AS outcome,
        max(run.started_at) AS started_at
    FROM run
    INNER JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
    INNER JOIN device ON device.device_id = run.device_id
    LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
    LEFT JOIN model ON model.model_id = model_version.model_id
    WHERE run.provenance <> 'simulated'
    GROUP BY
        model.name,
        benchmark.fullname,
        run.benchmark_id,
        device.backend,
        run.implementation,
        run.workload,
        run.precision,
        run.batch_size,
        run.sequence_length
),

cell AS (
    SELECT
        subject,
        model,
        benchmark,
        backend,
        count(*) AS benchmarks,
        count(*) FILTER (WHERE outcome IN ('passed', 'xpassed')) AS passed,
        count(*) FILTER (WHERE outcome IN ('failed', 'error', 'xfailed', 'timeout', 'oom', 'crashed')) AS failed,
        count(*) FILTER (WHERE outcome = 'oom') AS oom,
        count(*) FILTER (WHERE outcome = 'timeout') AS timeout,
        count(*) FILTER (WHERE outcome = 'unsupported') AS unsupported,
        count(*) FILTER (WHERE outcome = 'skipped') AS skipped,
        max(started_at) AS last_seen_at
    FROM latest
    GROUP BY ALL
)

SELECT
    subject.subject,
    subject.model,
    subject.benchmark,
    backend.backend,
    coalesce(cell.benchmarks, 0) AS benchmarks,
    coalesce(cell.passed, 0) AS passed,
    coalesce(cell.failed, 0) AS failed,
    coalesce(cell.unsupported, 0) AS unsupported,
    coalesce(cell.skipped, 0) AS skipped,
    CASE
        WHEN cell.passed > 0 AND cell.failed + cell.unsupported = 0 THEN 'pass'
        WHEN cell.passed > 0 THEN 'degraded'
        WHEN cell.failed > 0 AND cell.failed = cell.oom THEN 'oom'
        WHEN cell.failed > 0 AND cell.failed = cell.timeout THEN 'timeout'
        WHEN cell.failed > 0 THEN 'fail'
        WHEN cell.unsupported > 0 THEN 'unsupported'
        WHEN cell.skipped > 0 THEN 'skipped'
        ELSE 'untested'
    END AS status,
    cell.last_seen_at
FROM (SELECT DISTINCT subject, model, benchmark FROM latest) AS subject
CROSS JOIN (SELECT DISTINCT backend FROM latest) AS backend
LEFT JOIN cell
    ON cell.subject = subject.subject
    AND cell.model IS NOT DISTINCT FROM subject.model
    AND cell.benchmark IS NOT DISTINCT FROM subject.benchmark
    AND cell.backend = backend.backend;
COMMENT ON VIEW hardware_compatibility IS 'One model, or one benchmark without a model, on one backend, by the latest run of each of its benchmarks in each configuration; as `benchdb matrix`';
COMMENT ON COLUMN hardware_compatibility.subject IS 'Name of the model, else full name of the benchmark';
COMMENT ON COLUMN hardware_compatibility.model IS 'Name of the model; NULL for a benchmark without one';
COMMENT ON COLUMN hardware_compatibility.benchmark IS 'Full name of a benchmark without a model';
COMMENT ON COLUMN hardware_compatibility.backend IS 'Kind of hardware that appears in this database';
COMMENT ON COLUMN hardware_compatibility.benchmarks IS 'Benchmarks and configurations that were tried here';
COMMENT ON COLUMN hardware_compatibility.passed IS 'Those whose latest run passed';
COMMENT ON COLUMN hardware_compatibility.failed IS 'Those whose latest run failed, timed out, crashed or ran out of memory';
COMMENT ON COLUMN hardware_compatibility.unsupported IS 'Those whose latest run found the backend unsupported';
COMMENT ON COLUMN hardware_compatibility.skipped IS 'Those whose latest run was skipped for another reason';
COMMENT ON COLUMN hardware_compatibility.status IS 'pass, degraded, fail, oom, timeout, unsupported, skipped, or untested where nothing was run';
COMMENT ON COLUMN hardware_compatibility.last_seen_at IS 'Start of the latest run, UTC; NULL if untested';

-- One run that measured power or energy.
CREATE VIEW power_metrics AS
SELECT
    run.run_id,
    run.session_id,
    run.started_at,
    any_value(benchmark.fullname) AS benchmark,
    any_value(model.name) AS model_name,
    any_value(device.backend) AS hardware_type,
    any_value(device.name) AS device_name,
    coalesce(
        max(measurement.value) FILTER (WHERE measurement.metric = 'power' AND measurement.pass = 'energy'),
        max(coalesce(measurement.mean, measurement.value)) FILTER (WHERE measurement.metric = 'power')
    ) AS power_watts_avg,
    max(measurement.max) FILTER (WHERE measurement.metric = 'power') AS power_watts_peak,
    max(measurement.value) FILTER (WHERE measurement.metric = 'energy') AS energy_joules,
    max(coalesce(measurement.mean, measurement.value)) FILTER (WHERE measurement.metric = 'temperature') - 273.15
        AS temperature_celsius_avg,
    max(measurement.max) FILTER (WHERE measurement.metric = 'temperature') - 273.15 AS temperature_celsius_peak,
    max(measurement.value) FILTER (WHERE measurement.metric = 'throughput')
    / nullif(
        coalesce(
            max(measurement.value) FILTER (WHERE measurement.metric = 'power' AND measurement.pass = 'energy'),
            max(coalesce(measurement.mean, measurement.value)) FILTER (WHERE measurement.metric = 'power')
        ),
        0
    ) AS energy_efficiency_items_per_joule,
    any_value(run.duration_s) AS test_duration_seconds,
    any_value(measurement.method) FILTER (WHERE measurement.metric IN ('power', 'energy')) AS method
FROM run
INNER JOIN measurement
    ON measurement.run_id = run.run_id AND measurement.session_id = run.session_id
    AND measurement.phase IS NULL AND measurement.valid AND measurement.provenance <> 'simulated'
    AND measurement.metric IN ('power', 'energy', 'temperature', 'throughput') AND measurement.rank IS NULL
    AND (measurement.pass <> 'energy' OR measurement.domain IS NULL)
LEFT JOIN benchmark ON benchmark.benchmark_id = run.benchmark_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
WHERE run.outcome = 'passed' AND run.provenance <> 'simulated'
GROUP BY run.run_id, run.session_id, run.started_at
HAVING bool_or(measurement.metric IN ('power', 'energy'));
COMMENT ON VIEW power_metrics IS 'One passed run that measured power or energy';
COMMENT ON COLUMN power_metrics.run_id IS 'The run';
COMMENT ON COLUMN power_metrics.session_id IS 'The session';
COMMENT ON COLUMN power_metrics.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN power_metrics.benchmark IS 'Full name of the benchmark';
COMMENT ON COLUMN power_metrics.model_name IS 'Name of the model';
COMMENT ON COLUMN power_metrics.hardware_type IS 'Backend: cpu, cuda, ...';
COMMENT ON COLUMN power_metrics.device_name IS 'The vendor''s name of the device';
COMMENT ON COLUMN power_metrics.power_watts_avg IS 'Mean power';
COMMENT ON COLUMN power_metrics.power_watts_peak IS 'Largest power; NULL for a single reading';
COMMENT ON COLUMN power_metrics.energy_joules IS 'Energy of one iteration';
COMMENT ON COLUMN power_metrics.temperature_celsius_avg IS 'Mean temperature';
COMMENT ON COLUMN power_metrics.temperature_celsius_peak IS 'Highest temperature; NULL for a single reading';
COMMENT ON COLUMN power_metrics.energy_efficiency_items_per_joule IS 'Measured throughput divided by mean power';
COMMENT ON COLUMN power_metrics.test_duration_seconds IS 'Time of the test''s call phase';
COMMENT ON COLUMN power_metrics.method IS 'How power or energy was taken';

-- One run that measured how a language model serves.
CREATE VIEW benchmark_results AS
SELECT
    run.run_id,
    run.session_id,
    run.started_at AS benchmark_date,
    any_value(model.name) AS model,
    any_value(model_version.version) AS version,
    any_value(device.name) AS hardware,
    any_value(framework.name) AS framework,
    any_value(framework.version) AS framework_version,
    any_value(run.workload) AS workload_type,
    any_value(run.precision) AS precision,
    any_value(run.batch_size) AS batch_size,
    any_value(run.sequence_length) AS sequence_length,
    max(measurement.value) FILTER (WHERE measurement.metric = 'ttft') * 1e3 AS ttft_p50_ms,
    max(measurement.p90) FILTER (WHERE measurement.metric = 'ttft') * 1e3 AS ttft_p90_ms,
    max(measurement.p99) FILTER (WHERE measurement.metric = 'ttft') * 1e3 AS ttft_p99_ms,
    max(measurement.value) FILTER (WHERE measurement.metric = 'tpot') * 1e3 AS tpot_p50_ms,
    max(measurement.p90) FILTER (WHERE measurement.metric = 'tpot') * 1e3 AS tpot_p90_ms,
    max(measurement.p99) FILTER (WHERE measurement.metric = 'tpot') * 1e3 AS tpot_p99_ms,
    max(measurement.value) FILTER (WHERE measurement.metric = 'tokens_per_second') AS throughput_tokens_sec,
    max(measurement.value) FILTER (WHERE measurement.metric = 'requests_per_second') AS rps_sustained,
    max(measurement.value) FILTER (WHERE measurement.metric = 'accuracy') AS accuracy_score,
    max(measurement.value) FILTER (WHERE measurement.metric = 'utilization') * 100 AS gpu_utilization_pct,
    max(measurement.value) FILTER (WHERE measurement.metric = 'device_peak') / 1e9 AS memory_used_gb,
    map_from_entries(list((measurement.metric, measurement.value) ORDER BY measurement.metric)) AS detailed_metrics
FROM run
INNER JOIN (
    SELECT run_id, session_id, metric, max(value) AS value, max(p90) AS p90, max(p99) AS p99
    FROM measurement
    WHERE phase IS NULL AND valid AND provenance <> 'simulated' AND (pass <> 'energy' OR domain IS NULL)
    GROUP BY run_id, session_id, metric
    HAVING count(*) = 1
) AS measurement
    ON measurement.run_id = run.run_id AND measurement.session_id = run.session_id
LEFT JOIN device ON device.device_id = run.device_id
LEFT JOIN framework ON framework.framework_id = run.framework_id
LEFT JOIN model_version ON model_version.model_version_id = run.model_version_id
LEFT JOIN model ON model.model_id = model_version.model_id
WHERE run.outcome = 'passed' AND run.provenance <> 'simulated'
GROUP BY run.run_id, run.session_id, run.started_at
HAVING bool_or(measurement.metric IN ('ttft', 'tpot', 'itl', 'e2e_latency', 'tokens_per_second'));
COMMENT ON VIEW benchmark_results IS 'One passed run that measured how a language model serves';
COMMENT ON COLUMN benchmark_results.run_id IS 'The run';
COMMENT ON COLUMN benchmark_results.session_id IS 'The session';
COMMENT ON COLUMN benchmark_results.benchmark_date IS 'Start of the run, UTC';
COMMENT ON COLUMN benchmark_results.model IS 'Name of the model';
COMMENT ON COLUMN benchmark_results.version IS 'Its version';
COMMENT ON COLUMN benchmark_results.hardware IS 'The vendor''s name of the device';
COMMENT ON COLUMN benchmark_results.framework IS 'Name of the framework';
COMMENT ON COLUMN benchmark_results.framework_version IS 'Its version';
COMMENT ON COLUMN benchmark_results.workload_type IS 'Workload';
COMMENT ON COLUMN benchmark_results.precision IS 'fp32, fp16, ...';
COMMENT ON COLUMN benchmark_results.batch_size IS 'Items in one call';
COMMENT ON COLUMN benchmark_results.sequence_length IS 'Length of one item';
COMMENT ON COLUMN benchmark_results.ttft_p50_ms IS 'Time to the first token, median over requests';
COMMENT ON COLUMN benchmark_results.ttft_p90_ms IS 'The same, 90th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.ttft_p99_ms IS 'The same, 99th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.tpot_p50_ms IS 'Time per output token after the first, median over requests';
COMMENT ON COLUMN benchmark_results.tpot_p90_ms IS 'The same, 90th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.tpot_p99_ms IS 'The same, 99th percentile, linear interpolation';
COMMENT ON COLUMN benchmark_results.throughput_tokens_sec IS 'Output tokens per second over all requests';
COMMENT ON COLUMN benchmark_results.rps_sustained IS 'Metric requests_per_second, where the suite recorded it';
COMMENT ON COLUMN benchmark_results.accuracy_score IS 'Metric accuracy, where the suite recorded it';
COMMENT ON COLUMN benchmark_results.gpu_utilization_pct IS 'Share of the time in which the device was busy, percent';
COMMENT ON COLUMN benchmark_results.memory_used_gb IS 'Peak of the device''s allocator, 1 GB = 1e9 bytes';
COMMENT ON COLUMN benchmark_results.detailed_metrics IS 'Every metric that the run took once, by name';

-- One model on one UTC day.
CREATE VIEW daily_model_stats AS
SELECT
    performance.model,
    CAST(performance.started_at AS DATE) AS day,
    count(*) AS total_benchmarks,
    avg(accuracy.value) AS avg_accuracy,
    avg(performance.throughput) FILTER (WHERE performance.throughput_unit = 'items/s') AS avg_throughput,
    quantile_cont(performance.latency_s, 0.95) * 1e3 AS p95_latency_ms
FROM benchmark_performance AS performance
LEFT JOIN measurement AS accuracy
    ON accuracy.run_id = performance.run_id AND accuracy.session_id = performance.session_id
    AND accuracy.metric = 'accuracy' AND accuracy.phase IS NULL AND accuracy.valid
WHERE performance.model IS NOT NULL
GROUP BY performance.model, CAST(performance.started_at AS DATE);
COMMENT ON VIEW daily_model_stats IS 'One model on one UTC day';
COMMENT ON COLUMN daily_model_stats.model IS 'Name of the model';
COMMENT ON COLUMN daily_model_stats.day IS 'UTC day';
COMMENT ON COLUMN daily_model_stats.total_benchmarks IS 'Runs of benchmark_performance';
COMMENT ON COLUMN daily_model_stats.avg_accuracy IS 'Mean of the metric accuracy';
COMMENT ON COLUMN daily_model_stats.avg_throughput IS 'Mean of the throughputs that were measured, items per second';
COMMENT ON COLUMN daily_model_stats.p95_latency_ms IS '95th percentile over the runs'' median latencies';
