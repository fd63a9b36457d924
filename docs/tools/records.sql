-- The records of a log as a table, for DuckDB: SELECT * FROM records('audit.log').
CREATE MACRO records(dir) AS TABLE
    SELECT
        seq,
        timestamp AS recorded_at,
        service_id,
        event ->> 'event_type' AS event_type,
        TRY_CAST(event ->> 'timestamp' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS happened_at,
        (event ->> 'event_type') IN (
            'auth_failure', 'token_revoked', 'seal_verification_failed', 'path_traversal_attempt',
            'invalid_token_used', 'policy_violation', 'suspicious_activity', 'integrity_violation',
            'malformed_model_rejected', 'resource_limit_violation'
        ) OR (
            (event ->> 'event_type') = 'custom' AND (event ->> 'critical') = 'true'
        ) AS is_critical,
        event,
        coalesce(sanitized, []) AS sanitized,
        hash
    FROM read_json(
        dir || '/*.audit.jsonl',
        format = 'newline_delimited',
        columns = {
            seq: 'BIGINT', timestamp: 'TIMESTAMP', service_id: 'VARCHAR', event: 'JSON',
            sanitized: 'VARCHAR[]', hash: 'VARCHAR'
        }
    )
    ORDER BY seq;
