// JSON Schema, as much of it as the contract uses: type (also a list), enum, pattern, minimum,
// maximum, lengths, items, required, properties, additionalProperties, $ref, oneOf, allOf, format
// date. A keyword that is not known stops the program at its start: a limit that nobody checks is
// worse than none.
//
// Compiled once, then read by all threads. Check() tells every fault, up to a dozen, by the path of
// its field; it also makes whole numbers that were written as 1.0 integers, so that handlers may
// use as_int64().
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "service/http/message.h"

namespace canbao::service {

class Schema {
 public:
  virtual ~Schema() = default;
  // Adds to `faults`.
  void Check(boost::json::value& value, Lang lang, std::vector<Problem::Field>* faults) const;
  // A parameter, which is text: becomes the number or truth value that the schema speaks of.
  void CheckText(std::string_view text, std::string_view name, Lang lang,
                 std::vector<Problem::Field>* faults) const;
  // Of a parameter that was not given, as text; empty = none.
  virtual std::string default_text() const = 0;
  virtual bool Accepts(boost::json::kind kind) const = 0;

 protected:
  friend class SchemaNode;
  virtual void Visit(boost::json::value& value, const std::string& path, Lang lang,
                     std::vector<Problem::Field>* faults) const = 0;
};

// The schemas of a document (components/schemas and those within its paths). Owns what Get() gives.
class Schemas {
 public:
  explicit Schemas(const boost::json::value& document);
  ~Schemas();
  Schemas(const Schemas&) = delete;
  Schemas& operator=(const Schemas&) = delete;
  // Compiles `at`, a schema within the document. Throws std::runtime_error.
  const Schema* Get(const boost::json::value& at);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Of strings that PostgreSQL cannot take (U+0000), anywhere within.
bool HasNul(const boost::json::value& value);

}  // namespace canbao::service
