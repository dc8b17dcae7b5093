#include "register/internal/search_name.h"

#include "identity/name.h"
#include "register/internal/clean_text.h"

namespace canbao::reg {

std::string NameKeyOf(std::string_view name) {
  identity::FoldedName folded;
  identity::FoldName(name, &folded);
  return identity::ToUtf8(folded);
}

SearchName SearchNameOf(std::string_view name) {
  SearchName out;
  out.name = name;
  out.key = NameKeyOf(name);
  std::string pinyin = identity::Pinyin(name);
  std::erase(pinyin, ' ');
  std::erase(pinyin, '\0');
  out.pinyin = std::move(pinyin);
  out.initials = identity::PinyinInitials(name);
  std::erase(out.initials, '\0');
  return out;
}

std::string PinyinKeyOf(std::string_view typed) {
  std::string out;
  for (size_t i = 0; i < typed.size(); ++i) {
    char c = typed[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    if (typed.substr(i).starts_with("\u00fc") || typed.substr(i).starts_with("\u00dc")) out += 'v';
  }
  return out;
}

}  // namespace canbao::reg
