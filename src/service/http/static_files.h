// The built console, served from its folder: files by their path, index.html for the addresses that
// the console routes itself. Names with a digest in them (assets/) never change and are kept by
// browsers for a year; everything else is asked for again. A file x.br or x.gz beside x is sent
// instead where the browser takes it.
//
// Stateless but for the folder; used by all workers. A path never leaves the folder: no dot files,
// no "..", no symbolic links out of it.
#pragma once

#include <string>

#include "service/http/message.h"
#include "service/http/target.h"

namespace canbao::service {

class StaticFiles {
 public:
  // Empty: every request is answered by 404.
  explicit StaticFiles(std::string folder);
  // A GET.
  Response Answer(const Request& request, const Target& target) const;

 private:
  bool Find(const Target& target, std::string* path) const;
  std::string folder_;  // with links resolved
};

}  // namespace canbao::service
