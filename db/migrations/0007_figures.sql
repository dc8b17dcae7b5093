-- Figures, runs and divisions as the service shows them.

-- Accounts are those of an agency's file: seen where its region is in scope; of a file of the whole
-- province by whoever sees the province.
ALTER TABLE canbao.extract_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE canbao.extract_account FORCE ROW LEVEL SECURITY;
CREATE POLICY loader ON canbao.extract_account TO CURRENT_USER USING (true);
CREATE POLICY scope ON canbao.extract_account FOR SELECT TO canbao_app USING (
  ((SELECT canbao.permitted('figures.read')) OR (SELECT canbao.permitted('policy.read')))
  AND EXISTS (
    SELECT FROM canbao.extract e, canbao.run r
    WHERE e.extract_id = extract_account.extract_id AND r.run_id = extract_account.run_id
      AND canbao.division(CASE WHEN e.region = 0 THEN r.province ELSE e.region END)
          <@ (SELECT canbao.place())));

-- The order of a run's extracts, which explains why a row was linked: nobody's figures, so all of it.
CREATE FUNCTION canbao.extract_ordinals(which integer)
RETURNS TABLE (extract_id integer, ordinal integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT a.extract_id, a.ordinal FROM canbao.extract_account a WHERE a.run_id = which;
END;
REVOKE ALL ON FUNCTION canbao.extract_ordinals(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION canbao.extract_ordinals(integer) TO canbao_app;

-- A manifest holds the figures of all counties and where the files lie: the service does not read it.
-- What forms need of it, and nobody's secret, it gets from run_facts().
REVOKE SELECT ON canbao.run FROM canbao_app;
GRANT SELECT (run_id, name, province, cutoff, made_at, rules, content_digest, result_digest, persons,
              highest_key, loaded_at, superseded_by) ON canbao.run TO canbao_app;
-- They are kept beside the manifest: to unpack it for each page costs ten milliseconds.
CREATE FUNCTION canbao.facts_of(manifest jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN jsonb_build_object(
    'settlements', coalesce(manifest -> 'settlements', 'false'::jsonb),
    'population', coalesce(manifest -> 'population', '[]'::jsonb),
    'review', coalesce(manifest #> '{repair,review}', '0'::jsonb),
    'discrepancies', coalesce(manifest -> 'discrepancies', '[]'::jsonb),
    'extracts', (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'kind', x -> 'kind', 'stage', x -> 'stage', 'region', x -> 'region',
        'unmapped_states', coalesce(x -> 'unmapped_states', '0'::jsonb))), '[]'::jsonb)
      FROM jsonb_array_elements(manifest -> 'extracts') x));
ALTER TABLE canbao.run ADD facts jsonb GENERATED ALWAYS AS (canbao.facts_of(manifest)) STORED;
CREATE FUNCTION canbao.run_facts(which integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT jsonb_build_object('province', r.province, 'cutoff', r.cutoff) || r.facts
          FROM canbao.run r WHERE r.run_id = which);
END $$;
REVOKE ALL ON FUNCTION canbao.run_facts(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION canbao.run_facts(integer) TO canbao_app;

-- Changes of divisions beyond the program's tables, county level and above.
CREATE TABLE canbao.division_change (
  change_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('rename', 'merge', 'split', 'abolish')),
  code        bigint NOT NULL CHECK (code % 1000000 = 0),
  name        text NOT NULL,               -- '' = none
  successor   bigint CHECK (successor % 1000000 = 0),
  day         date NOT NULL,
  source      text NOT NULL CHECK (source <> ''),
  recorded_by text NOT NULL,               -- account
  recorded_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT change_says_what CHECK (CASE kind
    WHEN 'rename' THEN name <> '' AND successor IS NULL
    WHEN 'abolish' THEN successor IS NULL ELSE successor IS NOT NULL END)
);
CREATE UNIQUE INDEX division_change_once ON canbao.division_change
  (code, kind, day, coalesce(successor, 0));
ALTER TABLE canbao.division_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE canbao.division_change FORCE ROW LEVEL SECURITY;
CREATE POLICY loader ON canbao.division_change TO CURRENT_USER USING (true);
CREATE POLICY everybody ON canbao.division_change FOR SELECT TO canbao_app USING (true);
CREATE POLICY administrator ON canbao.division_change FOR INSERT TO canbao_app
  WITH CHECK ((SELECT canbao.permitted('divisions.write')));
GRANT SELECT ON canbao.division_change TO canbao_app;
GRANT INSERT (kind, code, name, successor, day, source, recorded_by) ON canbao.division_change
  TO canbao_app;
