#include "base/error.h"

namespace canbao {

std::string Error::ToString() const {
  std::string out = code;
  if (!file.empty()) {
    out += " " + file;
    if (line > 0) out += ":" + std::to_string(line);
    if (column > 0) out += ":" + std::to_string(column);
  }
  out += out.empty() ? "" : ": ";
  out += message.Get();
  if (!remedy.Get().empty())
    out += (CurrentLang() == Lang::kZh ? " 处理办法：" : " Remedy: ") + remedy.Get();
  return out;
}

}  // namespace canbao
