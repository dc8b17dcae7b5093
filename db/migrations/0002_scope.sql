-- Row-level scope of the service. canbao_app is neither superuser nor owner nor BYPASSRLS; a session
-- says what it may see as a multirange of 12-digit divisions, half open:
--   SET canbao.scope = '{[330100000000,330200000000)}'
-- Without the setting it sees no person. The loader is the owner; its policy lets it see all, also
-- where it is no superuser, although the policies are forced on the owner as well.
-- Policies stand on the parents; the loader's leaves get no grants, so there is no way around. The
-- views read as whoever asks (security_invoker), within the same policies.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'canbao_app') THEN
    CREATE ROLE canbao_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles
             WHERE rolname = 'canbao_app' AND (rolsuper OR rolbypassrls)) THEN
    RAISE EXCEPTION 'role canbao_app must be neither superuser nor BYPASSRLS';
  END IF;
END $$;

-- Called once per query, as (SELECT canbao.scope()).
CREATE FUNCTION canbao.scope() RETURNS int8multirange
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('canbao.scope', true), ''), '{}')::int8multirange;

-- A county or city of 6 digits as a division of 12.
CREATE FUNCTION canbao.division(six integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN six::bigint * 1000000;

GRANT USAGE ON SCHEMA canbao TO canbao_app;
GRANT SELECT ON canbao.run, canbao.extract, canbao.extract_account, canbao.employer,
  canbao.person_row, canbao.person, canbao.enrolment_row, canbao.enrolment, canbao.evidence,
  canbao.discrepancy_row, canbao.discrepancy, canbao.duplicate_case, canbao.unlinked_row,
  canbao.reject_row, canbao.classification_row, canbao.classification,
  canbao.figure TO canbao_app;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['person_row', 'enrolment_row', 'evidence', 'discrepancy_row',
                           'duplicate_case', 'unlinked_row', 'reject_row', 'classification_row',
                           'figure'] LOOP
    EXECUTE format('ALTER TABLE canbao.%I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE canbao.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY loader ON canbao.%I TO CURRENT_USER USING (true)', t);
  END LOOP;
END $$;

-- A person is in scope by hukou, by residence, or by the place where the local enrolment counts.
CREATE POLICY scope ON canbao.person_row FOR SELECT TO canbao_app USING (
  hukou <@ (SELECT canbao.scope()) OR residence <@ (SELECT canbao.scope())
  OR canbao.division(county) <@ (SELECT canbao.scope()));

CREATE POLICY scope ON canbao.classification_row FOR SELECT TO canbao_app USING (
  canbao.division(county) <@ (SELECT canbao.scope()) OR EXISTS (
    SELECT FROM canbao.person_row p
    WHERE p.person_key = classification_row.person_key AND p.bucket = classification_row.bucket));

-- What belongs to a person follows the person; an enrolment is also seen where it is run.
CREATE POLICY scope ON canbao.enrolment_row FOR SELECT TO canbao_app USING (
  canbao.division(region) <@ (SELECT canbao.scope()) OR EXISTS (
    SELECT FROM canbao.person_row p
    WHERE p.person_key = enrolment_row.person_key AND p.bucket = enrolment_row.bucket));
CREATE POLICY scope ON canbao.evidence FOR SELECT TO canbao_app USING (EXISTS (
    SELECT FROM canbao.person_row p
    WHERE p.person_key = evidence.person_key AND p.bucket = evidence.bucket));
CREATE POLICY scope ON canbao.discrepancy_row FOR SELECT TO canbao_app USING (EXISTS (
    SELECT FROM canbao.person_row p
    WHERE p.person_key = discrepancy_row.person_key AND p.bucket = discrepancy_row.bucket));
CREATE POLICY scope ON canbao.duplicate_case FOR SELECT TO canbao_app USING (EXISTS (
    SELECT FROM canbao.person_row p
    WHERE p.person_key = duplicate_case.person_key AND p.bucket = duplicate_case.bucket));

CREATE POLICY scope ON canbao.unlinked_row FOR SELECT TO canbao_app USING (
  canbao.division(region) <@ (SELECT canbao.scope()));
CREATE POLICY scope ON canbao.reject_row FOR SELECT TO canbao_app USING (
  canbao.division(region) <@ (SELECT canbao.scope()));
CREATE POLICY scope ON canbao.figure FOR SELECT TO canbao_app USING (
  canbao.division(county) <@ (SELECT canbao.scope()));
