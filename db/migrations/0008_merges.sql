-- Merges as records: this person key went into that one, since a cut-off, because a decision or a better
-- comparison gave its rows to another person; undone when they came back.

CREATE TABLE canbao.person_merge (
  merge_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_key      bigint NOT NULL,
  into_key      bigint NOT NULL,
  rows          integer NOT NULL,               -- that went over
  cutoff        date NOT NULL,
  undone_cutoff date                            -- from here on the key has rows of its own again
);
CREATE INDEX person_merge_from ON canbao.person_merge (from_key);
CREATE INDEX person_merge_into ON canbao.person_merge (into_key);

-- Both ends of a merge, each as its person's.
CREATE VIEW canbao.merge_of_person WITH (security_invoker = true) AS
SELECT (from_key % 8)::smallint AS bucket, from_key AS person_key, true AS went, into_key AS other_key,
  rows, cutoff, undone_cutoff FROM canbao.person_merge
UNION ALL
SELECT (into_key % 8)::smallint, into_key, false, from_key, rows, cutoff, undone_cutoff
FROM canbao.person_merge;

ALTER TABLE canbao.person_merge ENABLE ROW LEVEL SECURITY;
ALTER TABLE canbao.person_merge FORCE ROW LEVEL SECURITY;
CREATE POLICY loader ON canbao.person_merge TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY scope ON canbao.person_merge FOR SELECT TO canbao_app USING (
  canbao.sees_person(from_key) OR canbao.sees_person(into_key));
GRANT SELECT ON canbao.person_merge, canbao.merge_of_person TO canbao_app;

-- In the transaction of a later load, before its differences are applied: persons who are there no more,
-- whose enrolments are another person's now (the same row of a file, or the same number of the person in
-- the same scheme and region). What the load compares is all that is looked at.
CREATE FUNCTION canbao.note_merges(at date) RETURNS void
LANGUAGE plpgsql SET search_path = canbao, pg_temp SET jit = off AS $$
BEGIN
  CREATE TEMP TABLE vanished (person_key bigint PRIMARY KEY) ON COMMIT DROP;
  CREATE TEMP TABLE appeared (person_key bigint) ON COMMIT DROP;
  CREATE TEMP TABLE left_row (person_key bigint, source_ref bigint, place text) ON COMMIT DROP;
  CREATE TEMP TABLE came_row (person_key bigint, source_ref bigint, place text) ON COMMIT DROP;
  FOR b IN 0..7 LOOP
    EXECUTE format('INSERT INTO vanished SELECT DISTINCT t.person_key FROM canbao.person_row_%1$s t '
      'JOIN canbao_load.diff_person_row_%1$s d ON d.old = t.ctid WHERE NOT EXISTS (SELECT '
      'FROM canbao_load.person_row_%1$s s WHERE s.person_key = t.person_key)', b);
    EXECUTE format('INSERT INTO appeared SELECT s.person_key FROM canbao_load.person_row_%1$s s '
      'JOIN canbao_load.diff_person_row_%1$s d ON d.new = s.ctid', b);
  END LOOP;
  ANALYZE vanished, appeared;
  UPDATE canbao.person_merge m SET undone_cutoff = at
  WHERE m.undone_cutoff IS NULL AND m.from_key IN (SELECT person_key FROM appeared);
  IF EXISTS (SELECT FROM vanished) THEN
    FOR b IN 0..7 LOOP
      EXECUTE format('INSERT INTO left_row SELECT t.person_key, t.source_ref, '
        'substring(t.facts FROM 2 FOR 2)::text || t.region || canbao.fact_text(t.facts, 16) '
        'FROM canbao.enrolment_row_%1$s t JOIN canbao_load.diff_enrolment_row_%1$s d ON d.old = t.ctid '
        'JOIN vanished v ON v.person_key = t.person_key', b);
    END LOOP;
    FOR b IN 0..7 LOOP
      EXECUTE format('INSERT INTO came_row SELECT s.person_key, s.source_ref, '
        'substring(s.facts FROM 2 FOR 2)::text || s.region || canbao.fact_text(s.facts, 16) '
        'FROM canbao_load.enrolment_row_%1$s s JOIN canbao_load.diff_enrolment_row_%1$s d '
        'ON d.new = s.ctid', b);
    END LOOP;
    ANALYZE left_row, came_row;
    INSERT INTO canbao.person_merge (from_key, into_key, rows, cutoff)
    SELECT DISTINCT ON (from_key) from_key, into_key, n, at FROM (
      SELECT from_key, into_key, count(*)::integer AS n FROM (
        SELECT l.person_key AS from_key, c.person_key AS into_key, l.source_ref
        FROM left_row l JOIN came_row c ON c.source_ref = l.source_ref
        UNION
        SELECT l.person_key, c.person_key, l.source_ref
        FROM left_row l JOIN came_row c ON c.place = l.place) pairs
      WHERE from_key <> into_key GROUP BY 1, 2) counted
    ORDER BY from_key, n DESC, into_key;
  END IF;
  DROP TABLE vanished, appeared, left_row, came_row;
END $$;
REVOKE ALL ON FUNCTION canbao.note_merges(date) FROM PUBLIC;
