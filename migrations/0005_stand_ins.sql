-- A model that serves only until another can be loaded: a method that was never loaded, or a version that served before.
-- Both null: it serves in its own right. Earlier, the reason said so at its end.
ALTER TABLE epoch ADD COLUMN stands_for_method TEXT;
ALTER TABLE epoch ADD COLUMN stands_for_version INTEGER;

UPDATE epoch SET stands_for_version = (
    SELECT id FROM model_version
    WHERE forecaster = (SELECT forecaster FROM model_version WHERE id = epoch.version)
        AND number = CAST(substr(epoch.reason, instr(epoch.reason, ', in place of version ') + 22) AS INTEGER))
WHERE instr(reason, ', in place of version ') > 0;

UPDATE epoch SET stands_for_method = substr(reason, instr(reason, ', in place of ') + 14)
WHERE instr(reason, ', in place of ') > 0 AND instr(reason, ', in place of version ') = 0;

UPDATE epoch SET reason = substr(reason, 1, instr(reason, ', in place of ') - 1)
WHERE instr(reason, ', in place of ') > 0;
