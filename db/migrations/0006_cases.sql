-- Cases: every duplicate and every discrepancy that was found, what became of it, who did what.
--
-- A case is opened by the load that first knows its finding, by set-based statements in the load's last
-- transaction (canbao.open_cases), and is the same case at every later cut-off: a finding is told by
-- (person_key, kind, number, finding). People move `state`; `gone_cutoff` says from which cut-off on the
-- finding is not there any more; `shown` is what both make together. Numbers of kinds and states: docs/formats/cases.md.
--
-- Rows carry what scopes them (county, division of hukou, region of the source; a party its region),
-- so that a policy looks at the row and nowhere else. canbao_app reads and steps within its scope; it opens and
-- deletes nothing.

CREATE TABLE canbao.case (
  case_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person_key     bigint NOT NULL,              -- 0 = nobody
  finding        bigint NOT NULL,              -- tells findings of one number of a person apart
  division       bigint NOT NULL,              -- hukou, 12 digits; 0 = unknown
  county         integer NOT NULL,             -- where the person counts; of nobody the source's region; else the province
  region         integer NOT NULL,             -- of the source that said it; 0 = the whole province
  regions        integer[] NOT NULL DEFAULT '{}',  -- of the parties of a duplicate
  number         integer NOT NULL,             -- bit of scheme::Duplicate, or kind of discrepancy
  found_cutoff   date NOT NULL,
  gone_cutoff    date,
  version        integer NOT NULL DEFAULT 1,
  bucket         smallint NOT NULL,
  kind           smallint NOT NULL CHECK (kind IN (1, 2)),
  state          smallint NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 9),
  pays_benefits  boolean NOT NULL DEFAULT false,
  shown          smallint NOT NULL GENERATED ALWAYS AS (
                   CASE WHEN gone_cutoff IS NULL OR state IN (5, 6, 8, 9) THEN state
                        WHEN kind = 2 THEN 8 ELSE 10 END) STORED,
  keep           text,                         -- scheme@region that a person chose to keep
  assignee       text,
  due            date,
  pending_action text,                         -- waits for a second person
  pending_by     text,
  pending_at     timestamptz,
  pending_note   text,
  closed_by      text,
  approved_by    text,
  UNIQUE (person_key, kind, number, finding),
  -- Where benefits are paid two people close a case: whoever proposed it does not approve it.
  CONSTRAINT four_eyes CHECK (NOT pays_benefits OR kind <> 1 OR state NOT IN (5, 6)
    OR (closed_by IS NOT NULL AND approved_by IS NOT NULL AND closed_by <> approved_by)),
  CONSTRAINT pending_whole CHECK ((pending_action IS NULL) = (pending_by IS NULL))
);
CREATE INDEX case_place ON canbao.case (county, case_id);
CREATE INDEX case_number ON canbao.case (kind, number, county, case_id);
-- Whose source lies elsewhere than the person: all others are found by the county (casework/list.cc).
CREATE INDEX case_region ON canbao.case (region, county, case_id) WHERE region <> 0
  AND region <> county AND (region % 100 <> 0 OR region / 100 <> county / 100)
  AND (region % 10000 <> 0 OR region / 10000 <> county / 10000);
CREATE INDEX case_moved ON canbao.case (shown, county, case_id) WHERE shown <> 1;
CREATE INDEX case_assignee ON canbao.case (assignee, case_id) WHERE assignee IS NOT NULL;
CREATE INDEX case_due ON canbao.case (due, case_id) WHERE due IS NOT NULL;
CREATE INDEX case_pending ON canbao.case (pending_by) WHERE pending_action IS NOT NULL;

-- Who has to agree: the pooling regions of the relations of a duplicate.
CREATE TABLE canbao.case_party (
  case_id    bigint NOT NULL REFERENCES canbao.case ON DELETE CASCADE,
  county     integer NOT NULL,                 -- of the case
  region     integer NOT NULL,
  outside    boolean NOT NULL,                 -- another province: nobody of it works here
  agreed_by  text,
  agreed_at  timestamptz,
  PRIMARY KEY (case_id, region)
);
CREATE INDEX case_party_region ON canbao.case_party (region, county, case_id) INCLUDE (agreed_by)
  WHERE region <> county
  AND (region % 100 <> 0 OR region / 100 <> county / 100)
  AND (region % 10000 <> 0 OR region / 10000 <> county / 10000);

-- What happened, oldest first. `cutoff` is the newest that was known then: a decision counts in the
-- forms of later cut-offs.
CREATE TABLE canbao.case_event (
  event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id    bigint NOT NULL REFERENCES canbao.case ON DELETE CASCADE,
  at         timestamptz NOT NULL DEFAULT now(),
  by         text NOT NULL,
  action     text NOT NULL,
  from_state smallint,
  to_state   smallint,                         -- only where the step changed it
  note       text,
  cutoff     date NOT NULL
);
CREATE INDEX case_event_case ON canbao.case_event (case_id, event_id);

CREATE TABLE canbao.case_evidence (
  evidence_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  case_id      bigint NOT NULL REFERENCES canbao.case ON DELETE CASCADE,
  name         text NOT NULL,
  content_type text NOT NULL,
  size         bigint NOT NULL,
  sha256       text NOT NULL,                  -- of the clear bytes; DATA/evidence/<sha256>, sealed
  by           text NOT NULL,
  at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX case_evidence_case ON canbao.case_evidence (case_id);

-- How many cases there are, as sums: every step adds its −1 and +1, every load counts anew.
CREATE TABLE canbao.case_count (
  county integer NOT NULL,
  kind   smallint NOT NULL,
  number integer NOT NULL,
  shown  smallint NOT NULL,
  count  bigint NOT NULL
);
CREATE INDEX case_count_place ON canbao.case_count (county, kind, number, shown);

-- Column 27 of form 1: discrepancies found and corrected up to a cut-off, cumulative.
CREATE TABLE canbao.case_figure (
  cutoff    date NOT NULL,
  county    integer NOT NULL,
  found     bigint NOT NULL,
  corrected bigint NOT NULL,
  PRIMARY KEY (cutoff, county),
  CHECK (corrected BETWEEN 0 AND found)
);

-- ---- who sees and changes what ----

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['case', 'case_party', 'case_event', 'case_evidence', 'case_count',
                           'case_figure'] LOOP
    EXECUTE format('ALTER TABLE canbao.%I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE canbao.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY loader ON canbao.%I TO CURRENT_USER USING (true) '
                   'WITH CHECK (true)', t);
  END LOOP;
END $$;

CREATE POLICY scope ON canbao.case FOR SELECT TO canbao_app USING (
  (SELECT canbao.scope()) @> ANY (ARRAY[canbao.division(county), division, canbao.division(region)])
  OR EXISTS (SELECT FROM unnest(regions) r WHERE canbao.division(r) <@ (SELECT canbao.scope())));
CREATE POLICY step ON canbao.case FOR UPDATE TO canbao_app USING (
  ((SELECT canbao.permitted('cases.write')) OR (SELECT canbao.permitted('cases.approve')))
  AND ((SELECT canbao.scope()) @> ANY (ARRAY[canbao.division(county), division, canbao.division(region)])
    OR EXISTS (SELECT FROM unnest(regions) r WHERE canbao.division(r) <@ (SELECT canbao.scope()))));
CREATE POLICY scope ON canbao.case_party FOR SELECT TO canbao_app USING (
  EXISTS (SELECT FROM canbao.case c WHERE c.case_id = case_party.case_id));

-- Whether the caller acts for the region of a party: it lies in his scope; or it is a city's, and
-- he sees the person in one of its counties. For another province whoever is on the case writes down
-- its answer.
CREATE FUNCTION canbao.acts_for(region integer, county integer, outside boolean) RETURNS boolean
LANGUAGE sql STABLE
RETURN outside OR canbao.division(region) <@ (SELECT canbao.scope())
  OR region % 100 = 0 AND region % 10000 <> 0 AND county / 100 = region / 100
     AND canbao.division(county) <@ (SELECT canbao.scope());
CREATE POLICY agree ON canbao.case_party FOR UPDATE TO canbao_app
  USING ((SELECT canbao.permitted('cases.write')) AND canbao.acts_for(region, county, outside));
CREATE FUNCTION canbao.own_account() RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT a.account FROM canbao.account a WHERE a.account_id = canbao.account_id());

CREATE POLICY scope ON canbao.case_event FOR SELECT TO canbao_app USING (
  EXISTS (SELECT FROM canbao.case c WHERE c.case_id = case_event.case_id));
CREATE POLICY add ON canbao.case_event FOR INSERT TO canbao_app WITH CHECK (
  by = (SELECT canbao.own_account()) AND EXISTS (SELECT FROM canbao.case c WHERE c.case_id = case_event.case_id));
CREATE POLICY scope ON canbao.case_evidence FOR SELECT TO canbao_app USING (
  EXISTS (SELECT FROM canbao.case c WHERE c.case_id = case_evidence.case_id));
CREATE POLICY add ON canbao.case_evidence FOR INSERT TO canbao_app WITH CHECK (
  by = (SELECT canbao.own_account()) AND (SELECT canbao.permitted('cases.write')) AND EXISTS (SELECT FROM canbao.case c WHERE c.case_id = case_evidence.case_id));
CREATE POLICY scope ON canbao.case_count FOR SELECT TO canbao_app USING (
  canbao.division(county) <@ (SELECT canbao.scope()));
CREATE POLICY scope ON canbao.case_figure FOR SELECT TO canbao_app USING (
  canbao.division(county) <@ (SELECT canbao.figure_scope()));

GRANT SELECT ON canbao.case, canbao.case_party, canbao.case_event, canbao.case_evidence,
  canbao.case_count, canbao.case_figure TO canbao_app;
GRANT UPDATE (state, version, keep, assignee, due, pending_action, pending_by, pending_at,
  pending_note, closed_by, approved_by) ON canbao.case TO canbao_app;
GRANT UPDATE (agreed_by, agreed_at) ON canbao.case_party TO canbao_app;
GRANT INSERT (case_id, by, action, from_state, to_state, note, cutoff) ON canbao.case_event
  TO canbao_app;
GRANT INSERT (case_id, name, content_type, size, sha256, by) ON canbao.case_evidence TO canbao_app;

-- A step is a new version, taken in one's own name, and the counts follow it.
CREATE FUNCTION canbao.case_stepped() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = canbao, pg_temp AS $$
DECLARE own text := canbao.own_account();
BEGIN
  IF own IS NOT NULL AND (
      NEW.pending_by IS DISTINCT FROM OLD.pending_by AND NEW.pending_by <> own
      OR NEW.approved_by IS DISTINCT FROM OLD.approved_by AND NEW.approved_by <> own
      OR NEW.closed_by IS DISTINCT FROM OLD.closed_by
         AND NEW.closed_by <> own AND NEW.closed_by IS DISTINCT FROM OLD.pending_by) THEN
    RAISE EXCEPTION 'case %: not in the name of %', OLD.case_id, own;
  END IF;
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'case %: version % does not follow %', OLD.case_id, NEW.version, OLD.version;
  END IF;
  IF NEW.shown <> OLD.shown OR NEW.county <> OLD.county THEN
    INSERT INTO canbao.case_count VALUES (OLD.county, OLD.kind, OLD.number, OLD.shown, -1),
                                         (NEW.county, NEW.kind, NEW.number, NEW.shown, 1);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER case_stepped AFTER UPDATE ON canbao.case
  FOR EACH ROW EXECUTE FUNCTION canbao.case_stepped();

-- The policy of canbao.case again, inside of functions that read more than their caller may.
CREATE FUNCTION canbao.sees_case(c canbao.case) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = canbao, pg_temp AS $$
DECLARE mine int8multirange := canbao.scope();
BEGIN
  RETURN mine @> ANY (ARRAY[canbao.division(c.county), c.division, canbao.division(c.region)])
    OR EXISTS (SELECT FROM unnest(c.regions) r WHERE mine @> canbao.division(r));
END $$;

-- Cases whose person counts outside of the counties from low to high while the source, or a party, lies
-- within: of those that the policy of canbao.case shows by their region. A city's region holds its
-- counties, so that no place has the region and not the county: the conditions of the two indexes.
CREATE FUNCTION canbao.cases_elsewhere(low integer, high integer)
RETURNS TABLE (case_id bigint, county integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = canbao, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE mine int8multirange := canbao.scope();
BEGIN
  RETURN QUERY SELECT c.case_id, c.county FROM canbao.case c
  WHERE c.region BETWEEN low AND high AND c.county NOT BETWEEN low AND high AND c.region <> 0
    AND c.region <> c.county AND (c.region % 100 <> 0 OR c.region / 100 <> c.county / 100)
    AND (c.region % 10000 <> 0 OR c.region / 10000 <> c.county / 10000)
    AND mine @> canbao.division(c.region)
  UNION
  SELECT p.case_id, p.county FROM canbao.case_party p
  WHERE p.region BETWEEN low AND high AND p.county NOT BETWEEN low AND high
    AND p.region <> p.county AND (p.region % 100 <> 0 OR p.region / 100 <> p.county / 100)
    AND (p.region % 10000 <> 0 OR p.region / 10000 <> p.county / 10000)
    AND mine @> canbao.division(p.region)
    -- A party that has agreed stays when its relation is gone.
    AND (p.agreed_by IS NULL OR EXISTS (
      SELECT FROM canbao.case c WHERE c.case_id = p.case_id AND p.region = ANY (c.regions)));
END $$;
REVOKE ALL ON FUNCTION canbao.cases_elsewhere(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION canbao.cases_elsewhere(integer, integer) TO canbao_app;

-- Whom a case is about: name and sealed number, for those who see the case. A party sees the case of
-- a person whom its scope does not hold otherwise.
CREATE FUNCTION canbao.case_persons(of bigint[])
RETURNS TABLE (case_id bigint, name text, number bytea, document bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = canbao, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE mine int8multirange := canbao.scope();
BEGIN
  RETURN QUERY SELECT c.case_id, p.name, p.number, p.document
  FROM canbao.case c CROSS JOIN LATERAL (
    SELECT w.name, w.number, w.document FROM canbao.person_row w
    WHERE w.person_key = c.person_key AND w.bucket = c.bucket ORDER BY w.valid_to DESC LIMIT 1) p
  WHERE c.case_id = ANY (of) AND c.person_key <> 0
    AND (mine @> ANY (ARRAY[canbao.division(c.county), c.division, canbao.division(c.region)])
      OR EXISTS (SELECT FROM unnest(c.regions) r WHERE mine @> canbao.division(r)));
END $$;
REVOKE ALL ON FUNCTION canbao.case_persons(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION canbao.case_persons(bigint[]) TO canbao_app;

-- The relations (scheme@region:state;…) of the branch that a duplicate is about; where benefits are,
-- those that receive. Inlined where it is joined.
CREATE FUNCTION canbao.case_relations(number integer, relations text)
RETURNS TABLE (scheme integer, region integer, state text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT left(r, 3)::integer, substr(split_part(r, ':', 1), 5)::integer, split_part(r, ':', 2)
  FROM string_to_table(relations, ';') r
  WHERE CASE WHEN number <= 8 THEN left(r, 3) IN ('110', '120', '170')
             ELSE left(r, 3) IN ('310', '380', '390', '391') END
    AND (number NOT IN (4, 8) OR split_part(r, ':', 2) IN ('receiving', ''))
$$;

-- What tells discrepancies of one kind and person apart: the field and the system that said it. A row
-- of nobody is told by what it says.
CREATE FUNCTION canbao.discrepancy_finding(person_key bigint, field text, source text,
  region integer, delivered text, delivered_sealed bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(CASE WHEN person_key <> 0 THEN concat_ws('|', field, source, region)
  ELSE concat_ws('|', field, source, region, delivered, encode(delivered_sealed, 'hex')) END, 0);

-- What a case is about, for those who see the case.
CREATE FUNCTION canbao.case_enrolments(of bigint)
RETURNS TABLE (scheme integer, region integer, state smallint, enrolled_on date, employed boolean,
  source text, residence bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = canbao, pg_temp AS $$
  SELECT e.scheme, e.region, e.state_at_cutoff::smallint, e.enrolled_on, e.employer IS NOT NULL,
    x.source, coalesce(p.residence, p.hukou)
  FROM canbao.case c
  JOIN canbao.enrolment e ON e.person_key = c.person_key AND e.bucket = c.bucket
    AND e.valid_to = 'infinity'
  LEFT JOIN canbao.person_row p ON p.person_key = c.person_key AND p.bucket = c.bucket
    AND p.valid_to = 'infinity'
  LEFT JOIN canbao.extract x ON x.extract_id = e.source_ref >> 40
  WHERE c.case_id = of AND c.kind = 1 AND canbao.sees_case(c) AND e.confirmed
    AND CASE WHEN c.number <= 8 THEN e.scheme IN (110, 120, 170)
             ELSE e.scheme IN (310, 380, 390, 391) END
    AND CASE WHEN c.number IN (4, 8) THEN e.state_at_cutoff = 4
             ELSE e.state_at_cutoff IN (1, 4, 5) END
  ORDER BY e.scheme, e.region, e.enrolled_on, e.source_ref
$$;
CREATE FUNCTION canbao.case_discrepancy(of bigint)
RETURNS TABLE (field text, delivered text, prevailing text, delivered_sealed bytea,
  prevailing_sealed bytea, source text, file text, source_ref bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = canbao, pg_temp AS $$
  SELECT d.field, d.delivered, d.prevailing, d.delivered_sealed, d.prevailing_sealed, e.source, e.file,
    d.source_ref
  FROM canbao.case c
  JOIN canbao.discrepancy d ON d.person_key = c.person_key AND d.bucket = c.bucket
    AND d.kind = c.number
  JOIN canbao.extract e ON e.extract_id = d.source_ref >> 40
  WHERE c.case_id = of AND c.kind = 2 AND canbao.sees_case(c)
    AND canbao.discrepancy_finding(d.person_key, d.field, e.source, e.region, d.delivered,
                                   d.delivered_sealed) = c.finding
  ORDER BY d.valid_to DESC, d.source_ref
$$;
REVOKE ALL ON FUNCTION canbao.case_enrolments(bigint), canbao.case_discrepancy(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION canbao.case_enrolments(bigint), canbao.case_discrepancy(bigint)
  TO canbao_app;

-- What people had decided of cases before a cut-off: the last state that a step gave.
CREATE FUNCTION canbao.case_decided(before date)
RETURNS TABLE (case_id bigint, state smallint)
LANGUAGE sql STABLE AS $$
  SELECT DISTINCT ON (e.case_id) e.case_id, e.to_state FROM canbao.case_event e
  WHERE e.to_state IS NOT NULL AND e.cutoff < before ORDER BY e.case_id, e.event_id DESC
$$;

-- Cases of what is known at a cut-off, in the transaction of its load. The newest cut-off opens cases
-- and tells which findings are gone or there again; an older one that comes late only says since when
-- a finding is known.
CREATE FUNCTION canbao.open_cases(at date) RETURNS void
LANGUAGE plpgsql SET search_path = canbao, pg_temp SET jit = off AS $$
DECLARE newest boolean; own integer; later text[] := '{}'; index record; statement text;
BEGIN
  SELECT province INTO own FROM canbao.run LIMIT 1;
  SELECT NOT EXISTS (SELECT FROM canbao.run WHERE superseded_by IS NULL AND cutoff > at) INTO newest;
  -- Steps wait until the load is there: counts are taken anew below.
  ALTER TABLE canbao.case DISABLE TRIGGER case_stepped;

  CREATE TEMP TABLE found_now ON COMMIT DROP AS
  SELECT d.person_key, d.bucket, 1::smallint AS kind, d.kind::integer AS number,
    0::bigint AS finding, 0 AS region,
    coalesce(d.kind IN (4, 8, 64) OR bool_or(r.state = 'receiving'), false) AS pays,
    coalesce(array_agg(DISTINCT r.region ORDER BY r.region)
             FILTER (WHERE r.region IS NOT NULL), '{}') AS regions
  FROM canbao.duplicate_case d
  LEFT JOIN LATERAL canbao.case_relations(d.kind, d.relations) r ON true
  WHERE d.valid_from <= at AND d.valid_to > at
  GROUP BY d.person_key, d.bucket, d.kind
  UNION ALL
  SELECT DISTINCT ON (person_key, kind, finding) person_key, bucket, 2::smallint, kind::integer,
    finding, region, false, '{}'
  FROM (SELECT d.person_key, d.bucket, d.kind, e.region,
          canbao.discrepancy_finding(d.person_key, d.field, e.source, e.region, d.delivered,
                                     d.delivered_sealed) AS finding
        FROM canbao.discrepancy d JOIN canbao.extract e ON e.extract_id = d.source_ref >> 40
        WHERE d.valid_from <= at AND d.valid_to > at) d;
  ANALYZE found_now;
  IF newest THEN
    -- A run that was replaced had found it, and nobody has touched it.
    DELETE FROM canbao.case c WHERE c.found_cutoff = at AND c.version = 1 AND NOT EXISTS (
      SELECT FROM found_now f WHERE f.person_key = c.person_key AND f.kind = c.kind
      AND f.number = c.number AND f.finding = c.finding);
    UPDATE canbao.case c SET gone_cutoff = at, version = c.version + 1
    WHERE c.gone_cutoff IS NULL AND NOT EXISTS (
      SELECT FROM found_now f WHERE f.person_key = c.person_key AND f.kind = c.kind
      AND f.number = c.number AND f.finding = c.finding);
    -- There again. What was closed as put right begins anew; what was dismissed stays dismissed.
    WITH again AS (
      UPDATE canbao.case c SET gone_cutoff = NULL, version = c.version + 1,
        state = CASE WHEN c.gone_cutoff < at AND c.state IN (5, 8) THEN 1 ELSE c.state END
      FROM found_now f, canbao.case before
      WHERE f.person_key = c.person_key AND f.kind = c.kind AND f.number = c.number
        AND f.finding = c.finding AND c.gone_cutoff IS NOT NULL AND before.case_id = c.case_id
      RETURNING c.case_id, before.state AS from_state, c.state AS to_state)
    INSERT INTO canbao.case_event (case_id, by, action, from_state, to_state, cutoff)
    SELECT case_id, '', 'found_again', from_state, to_state, at FROM again
    WHERE from_state <> to_state;

    -- The first cut-off opens millions: indexes that are made afterwards are made by sorting.
    IF NOT EXISTS (SELECT FROM canbao.case) THEN
      FOR index IN SELECT i.indexrelid::regclass AS name, pg_get_indexdef(i.indexrelid) AS sql
                   FROM pg_index i WHERE i.indrelid = 'canbao.case'::regclass AND NOT i.indisunique LOOP
        later := later || index.sql;
        EXECUTE 'DROP INDEX ' || index.name;
      END LOOP;
    END IF;
    INSERT INTO canbao.case (bucket, person_key, kind, number, finding, county, division, region,
      regions, found_cutoff, pays_benefits)
    SELECT f.bucket, f.person_key, f.kind, f.number, f.finding,
      coalesce(nullif(CASE WHEN f.person_key <> 0 THEN k.county ELSE f.region END, 0), own),
      coalesce(p.hukou, 0), f.region, f.regions, at,
      f.pays
    FROM found_now f
    LEFT JOIN canbao.classification_row k
      ON k.bucket = f.bucket AND k.person_key = f.person_key AND k.cutoff = at
    LEFT JOIN canbao.person_row p ON p.bucket = f.bucket AND p.person_key = f.person_key
      AND p.valid_from <= at AND p.valid_to > at
    WHERE NOT EXISTS (
      SELECT FROM canbao.case c WHERE c.person_key = f.person_key AND c.kind = f.kind
      AND c.number = f.number AND c.finding = f.finding)
    ORDER BY f.person_key;
    FOREACH statement IN ARRAY later LOOP
      EXECUTE statement;
    END LOOP;

    -- Who moved, whose relations are others now, who draws benefits now; closed cases stay as they were
    -- closed.
    UPDATE canbao.case c SET county = n.county, division = n.division,
      pays_benefits = CASE WHEN c.state IN (5, 6) THEN c.pays_benefits ELSE n.pays END,
      regions = CASE WHEN c.state IN (5, 6) THEN c.regions ELSE n.regions END,
      version = c.version + 1
    FROM (SELECT f.person_key, f.kind, f.number, f.finding, f.pays, f.regions,
            coalesce(nullif(k.county, 0), own) AS county, coalesce(p.hukou, 0) AS division
          FROM found_now f
          JOIN canbao.classification_row k
            ON k.bucket = f.bucket AND k.person_key = f.person_key AND k.cutoff = at
          LEFT JOIN canbao.person_row p ON p.bucket = f.bucket AND p.person_key = f.person_key
            AND p.valid_from <= at AND p.valid_to > at) n
    WHERE n.person_key = c.person_key AND n.kind = c.kind AND n.number = c.number
      AND n.finding = c.finding AND c.found_cutoff < at
      AND ((n.county, n.division) IS DISTINCT FROM (c.county, c.division)
        OR c.state NOT IN (5, 6) AND (n.pays, n.regions) IS DISTINCT FROM (c.pays_benefits, c.regions));

    DELETE FROM canbao.case_party p USING canbao.case c
    WHERE c.case_id = p.case_id AND p.agreed_by IS NULL AND p.region <> ALL (c.regions);
    INSERT INTO canbao.case_party (case_id, county, region, outside)
    SELECT c.case_id, c.county, r, r / 10000 <> own / 10000
    FROM canbao.case c CROSS JOIN LATERAL unnest(c.regions) r WHERE c.kind = 1
    ON CONFLICT (case_id, region) DO UPDATE SET county = excluded.county
    WHERE case_party.county <> excluded.county;

    DELETE FROM canbao.case_count;
    INSERT INTO canbao.case_count
    SELECT county, kind, number, shown, count(*) FROM canbao.case GROUP BY 1, 2, 3, 4;
  ELSE
    UPDATE canbao.case c SET found_cutoff = at, version = c.version + 1 FROM found_now f
    WHERE f.person_key = c.person_key AND f.kind = c.kind AND f.number = c.number
      AND f.finding = c.finding AND c.found_cutoff > at;
  END IF;

  DELETE FROM canbao.case_figure WHERE cutoff = at;
  INSERT INTO canbao.case_figure
  SELECT at, c.county, count(*),
    count(*) FILTER (WHERE c.gone_cutoff <= at OR d.state IN (8, 9))
  FROM canbao.case c LEFT JOIN canbao.case_decided(at) d USING (case_id)
  WHERE c.kind = 2 AND c.found_cutoff <= at GROUP BY c.county;

  DROP TABLE found_now;
  ALTER TABLE canbao.case ENABLE TRIGGER case_stepped;
END $$;
REVOKE ALL ON FUNCTION canbao.open_cases(date) FROM PUBLIC;

-- Where a run was loaded before there were cases.
DO $$
DECLARE newest date;
BEGIN
  SELECT max(cutoff) INTO newest FROM canbao.run WHERE superseded_by IS NULL;
  IF newest IS NOT NULL THEN PERFORM canbao.open_cases(newest); END IF;
END $$;
