// Rows of text to a file or to standard output as csv, json or xlsx, a row at a time: memory does
// not grow with the list. A file appears under its name when it is complete.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "register/read.h"

namespace canbao::app {

// What a file says of itself when it leaves the register: in csv the last row, in xlsx the last
// row, header and footer of every printed page, and the document's properties.
struct TableMark {
  std::string text;  // who, when, why; empty = none
  std::string title;
  std::string author;
};

class TableWriter {
 public:
  virtual ~TableWriter() = default;
  // `header` in the user's language; `keys` name the columns in json.
  static Result<std::unique_ptr<TableWriter>> Create(const std::string& format,
                                                     const std::string& path,
                                                     const std::vector<std::string>& header,
                                                     const std::vector<std::string>& keys,
                                                     const TableMark& mark = {});
  virtual Status Write(const std::vector<std::string>& row) = 0;
  virtual Status Finish() = 0;
};

// The register of a data folder, or the database that `url` names.
Result<std::unique_ptr<reg::Database>> OpenRegister(const std::string& data,
                                                    const std::string& url);

}  // namespace canbao::app
