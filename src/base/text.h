// Text for people, in Chinese and English side by side. Every message that can reach a user is made
// in both languages where it is written, so that no translation table can fall behind.
// Value types, no shared state but the process language, which main() sets once before threads
// start.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace canbao {

enum class Lang { kZh, kEn };

// The language of the process: set from --lang or LANG by the command, Chinese by default.
Lang CurrentLang();
void SetCurrentLang(Lang lang);

struct Text {
  std::string zh;
  std::string en;

  const std::string& In(Lang lang) const { return lang == Lang::kZh ? zh : en; }
  const std::string& Get() const { return In(CurrentLang()); }
};

// Formats both languages with the same arguments; use {0} {1} where the order differs.
template <typename... Args>
Text Msg(fmt::format_string<const Args&...> zh, fmt::format_string<const Args&...> en,
         const Args&... args) {
  return Text{fmt::format(zh, args...), fmt::format(en, args...)};
}

}  // namespace canbao
