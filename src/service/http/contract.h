// The contract, api/openapi.yaml, as compiled into the executable: its operations, what each takes
// and who may call it. Made once, read by all threads; a contract that cannot be understood stops
// the program at its start.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/gate.h"
#include "service/http/schema.h"

namespace canbao::service {

struct Parameter {
  enum class In { kPath, kQuery, kHeader };
  std::string name;  // of a header in lower case
  In in = In::kQuery;
  bool required = false;
  const Schema* schema = nullptr;
};

struct Operation {
  Route route;
  std::vector<Parameter> parameters;
  bool has_body = false;
  bool body_required = false;
  bool body_is_json = false;
  const Schema* body = nullptr;  // null when any bytes will do
  bool takes_idempotency_key = false;
  std::vector<std::string> segments;  // of the path; "{name}" is a parameter
};

class Contract {
 public:
  // The one that is compiled in.
  static const Contract& Own();
  // Throws std::exception.
  explicit Contract(std::string_view json);

  const std::vector<Operation>& operations() const { return operations_; }
  const Operation* Find(std::string_view operation) const;
  // Where the paths begin: "/api/v1".
  const std::string& prefix() const { return prefix_; }
  const std::string& text() const { return text_; }  // JSON
  const boost::json::value& document() const { return document_; }

 private:
  void AddOperation(const std::string& path, std::string_view method,
                    const boost::json::object& item);
  // Follows a $ref of a parameter or a body.
  const boost::json::object& Resolve(const boost::json::value& v) const;

  std::string text_;
  boost::json::value document_;
  std::unique_ptr<Schemas> schemas_;
  std::vector<Operation> operations_;
  std::string prefix_;
};

std::string_view MethodName(Method method);

}  // namespace canbao::service
