-- The whole schema of a pytest-benchdb file, session file and history alike.
-- If you change it: add a migration under migrations/, raise SCHEMA_VERSION in store/migrate.py,
-- and run docs/generate.py. Times are UTC, units are SI, NULL means not measured or not known.
-- No primary, foreign or unique keys: they cost 3 to 5 times the space and 5 to 14 times the write time,
-- and DuckLake has none. The statements under checks/ prove what keys would.

-- One fact about this file per row.
CREATE TABLE meta (
    key VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);
COMMENT ON TABLE meta IS 'One fact about this file per row';
COMMENT ON COLUMN meta.key IS 'format, schema_version, file_kind (session or history), created_by';
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
    contended BOOLEAN
);
COMMENT ON TABLE session IS 'One invocation of pytest, one import, or one use of the API';
COMMENT ON COLUMN session.session_id IS 'UUIDv7';
COMMENT ON COLUMN session.project IS 'Name that is the same in every checkout of the project';
COMMENT ON COLUMN session.kind IS 'pytest, import, api or sample';
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
COMMENT ON COLUMN environment.details IS 'Caches, governor, limits, flags and whatever else was read';

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
COMMENT ON COLUMN device.name IS 'What the vendor calls it';
COMMENT ON COLUMN device.uuid IS 'The vendor''s unique id';
COMMENT ON COLUMN device.memory_bytes IS 'Its memory, bytes';
COMMENT ON COLUMN device.driver IS 'Version of the driver';
COMMENT ON COLUMN device.details IS 'Whatever else was read';

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
COMMENT ON TABLE hardware_config IS 'Catalogue: a machine that can be rented or bought';
COMMENT ON COLUMN hardware_config.hardware_config_id IS 'Content hash of provider and instance_type, or of the devices';
COMMENT ON COLUMN hardware_config.name IS 'What people call it';
COMMENT ON COLUMN hardware_config.provider IS 'Cloud provider';
COMMENT ON COLUMN hardware_config.instance_type IS 'The provider''s name of it';
COMMENT ON COLUMN hardware_config.device_name IS 'Name of its accelerators, as in device.name';
COMMENT ON COLUMN hardware_config.device_count IS 'Number of accelerators';
COMMENT ON COLUMN hardware_config.memory_per_device_bytes IS 'Memory of one accelerator, bytes';
COMMENT ON COLUMN hardware_config.price_per_hour_usd IS 'Price on demand, US dollars an hour';
COMMENT ON COLUMN hardware_config.spot IS 'Whether it can be had as a spot instance';
COMMENT ON COLUMN hardware_config.details IS 'Whatever else is known';

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
COMMENT ON COLUMN benchmark.code_hash IS 'Hash of the test''s source, as last seen; run.code_hash tells that of each run';

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
COMMENT ON COLUMN model.details IS 'Whatever else is known';

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
COMMENT ON COLUMN model_version.details IS 'Whatever else is known';

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
COMMENT ON COLUMN framework.details IS 'Capabilities and whatever else is known';

-- Catalogue: what models are used for, with the weights of their ranking.
CREATE TABLE use_case (
    use_case_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    category VARCHAR,
    pipeline_tag VARCHAR,
    default_weights MAP(VARCHAR, DOUBLE),
    details JSON
);
COMMENT ON TABLE use_case IS 'Catalogue: what models are used for, with the weights of their ranking';
COMMENT ON COLUMN use_case.use_case_id IS 'Content hash of the name';
COMMENT ON COLUMN use_case.name IS 'chatbot, summarization, ...';
COMMENT ON COLUMN use_case.category IS 'Wider group';
COMMENT ON COLUMN use_case.pipeline_tag IS 'Hugging Face''s name of the task';
COMMENT ON COLUMN use_case.default_weights IS 'Weight by metric; they sum to 1';
COMMENT ON COLUMN use_case.details IS 'Whatever else is known';

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
COMMENT ON COLUMN run.extra_info IS 'What the test put into extra_info';

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
    value DOUBLE
);
COMMENT ON TABLE measurement IS 'One metric of one run; time per iteration, SI units';
COMMENT ON COLUMN measurement.measurement_id IS 'UUIDv7';
COMMENT ON COLUMN measurement.run_id IS 'The run';
COMMENT ON COLUMN measurement.session_id IS 'The session';
COMMENT ON COLUMN measurement.benchmark_id IS 'The benchmark';
COMMENT ON COLUMN measurement.started_at IS 'Start of the run, UTC';
COMMENT ON COLUMN measurement.phase IS 'Named part of the run; NULL for the whole';
COMMENT ON COLUMN measurement.pass IS 'time, memory, energy or series: what else ran while it was taken';
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
COMMENT ON COLUMN request.sent_s IS 'When it was sent, likewise';
COMMENT ON COLUMN request.chunk_s IS 'When each chunk came, likewise';
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
COMMENT ON COLUMN metric.kind IS 'time, memory, energy, power, rate, count, temperature, ratio or other';
COMMENT ON COLUMN metric.description IS 'What it is';

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
COMMENT ON COLUMN source_file.source_file_id IS 'Content hash of path and checksum';
COMMENT ON COLUMN source_file.session_id IS 'The session it became';
COMMENT ON COLUMN source_file.path IS 'Path as given';
COMMENT ON COLUMN source_file.checksum IS 'BLAKE2b of its bytes';
COMMENT ON COLUMN source_file.importer IS 'What read it';
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
COMMENT ON COLUMN baseline.spec IS 'What was asked for';
COMMENT ON COLUMN baseline.session_id IS 'The session it stood for when it was set';
COMMENT ON COLUMN baseline.created_at IS 'UTC';
COMMENT ON COLUMN baseline.removed_at IS 'UTC; NULL while it stands';

-- A change of level that people accepted: history before it is no baseline.
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
COMMENT ON TABLE acceptance IS 'A change of level that people accepted: history before it is no baseline';
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
