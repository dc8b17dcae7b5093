// A small world made by hand, for tests of cases: two cities, three persons, one cut-off. SQL of
// the register's owner. Only tests include this.
#pragma once

namespace canbao::casework {

// Once for a database; then the world, again after kTestWorldEnds; then canbao.open_cases().
inline constexpr char kTestLeaves[] = R"(
CREATE TABLE canbao.classification_row_a PARTITION OF canbao.classification_row FOR VALUES IN ('2017-06-30');
CREATE TABLE canbao.classification_row_b PARTITION OF canbao.classification_row FOR VALUES IN ('2017-09-30');
DO $$ DECLARE t text; BEGIN
  FOREACH t IN ARRAY ARRAY['person_row', 'enrolment_row', 'discrepancy_row', 'duplicate_case'] LOOP
    FOR b IN 0..7 LOOP
      EXECUTE format('CREATE TABLE canbao.%1$s_%2$s PARTITION OF canbao.%1$s FOR VALUES IN (%2$s)', t, b);
    END LOOP;
  END LOOP;
END $$;
)";

// Person 1 of Shangcheng is insured in Hangzhou and Ningbo (110); person 2 draws both pensions; of
// person 3 a source of Ningbo has the name wrong.
inline constexpr char kTestWorld[] = R"(
INSERT INTO canbao.run (name, province, cutoff, made_at, rules, content_digest, result_digest, persons,
  highest_key, manifest) VALUES ('a', 330000, '2017-06-30', '', '', 'a', 'a', 3, 3, '{}');
INSERT INTO canbao.extract (file, kind, source, stage, region, sha256)
  VALUES ('pension.csv', 'enrolment', 'sb-330200', 'internal', 330200, 'x');
INSERT INTO canbao.person_row (person_key, source_ref, bucket, facts, county, hukou, name, valid_from,
  valid_to) SELECT k, 1, k, '\x00', 330102, 330102001001, '王' || k, '2017-06-30', 'infinity'
  FROM generate_series(1, 3) k;
INSERT INTO canbao.classification_row (person_key, cutoff, flags, county, bucket, facts,
  form_2_2, uncovered, duplicates)
  SELECT k, d, 1, 330102, k, '\x0000000000000000000000', 0, 0, 0 FROM generate_series(1, 3) k,
  unnest(ARRAY['2017-06-30', '2017-09-30']::date[]) d;
INSERT INTO canbao.duplicate_case VALUES
  (1, 1, 2, '110@330100:contributing;310@330100:contributing;110@330200:contributing',
   '2017-06-30', 'infinity'),
  (2, 2, 4, '110@330100:receiving;170@330102:receiving', '2017-06-30', 'infinity');
-- kind 4 (name_variant), field "name", delivered 王X, prevailing 王3
INSERT INTO canbao.discrepancy_row (person_key, source_ref, bucket, county, kind, facts,
  valid_from, valid_to)
  SELECT 3, 1::bigint << 40 | 7, 3, 330102, 4, '\x0400046e616d65'::bytea || '\x0004'::bytea || convert_to('王X', 'UTF8')
    || '\x0004'::bytea || convert_to('王3', 'UTF8'), '2017-06-30', 'infinity';
)";

inline constexpr char kTestWorldEnds[] =
    "TRUNCATE canbao.run, canbao.extract, canbao.person_row, canbao.classification_row, "
    "canbao.duplicate_case, canbao.discrepancy_row, canbao.case, canbao.case_count, "
    "canbao.case_figure RESTART IDENTITY CASCADE";

}  // namespace canbao::casework
