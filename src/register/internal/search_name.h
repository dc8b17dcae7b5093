// What a name is searched by (columns name_key, pinyin and initials of canbao.person_row). The
// loader fills them; a search makes the same of what somebody typed. Pure.
#pragma once

#include <string>
#include <string_view>

namespace canbao::reg {

struct SearchName {
  std::string name;  // as given
  std::string key;   // identity::FoldName; empty when nothing is left
  std::string pinyin;
  std::string initials;
};

SearchName SearchNameOf(std::string_view name);
// The folded name alone.
std::string NameKeyOf(std::string_view name);
// Letters and digits in lower case, ü as v: what somebody types for a name.
std::string PinyinKeyOf(std::string_view typed);

}  // namespace canbao::reg
