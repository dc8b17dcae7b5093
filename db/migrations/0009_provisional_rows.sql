-- The rows of a provisional person: asked for with each page of a person.
CREATE INDEX unlinked_person ON canbao.unlinked_row (person_key) WHERE person_key IS NOT NULL;
