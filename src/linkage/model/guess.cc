#include "linkage/model/guess.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "linkage/engine/similarity.h"
#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

constexpr size_t kMostComparisonsGuessed = 15;

enum class Role {
  kNone,
  kId,
  kGiven,
  kSurname,
  kName,
  kHanName,
  kDate,
  kMail,
  kPhone,
  kCode,
  kWord,
  kText
};

// What stands in a column.
struct Contents {
  size_t present = 0;
  size_t distinct = 0;
  size_t dates = 0;
  size_t mails = 0;
  size_t digits = 0;
  size_t blanks = 0;
  size_t han = 0;
  size_t characters = 0;
  uint64_t pairs = 0;  // of rows that agree
  double share(size_t n) const {
    return present == 0 ? 0 : static_cast<double>(n) / static_cast<double>(present);
  }
  double length() const { return share(characters); }
};

struct Guessed {
  std::string header;
  std::string name;  // in the model
  Role role = Role::kNone;
  Contents profile;
};

// A header without case, blanks and marks: "First Name" and "first_name" are one.
std::string Plain(std::string_view header) {
  std::string out;
  for (char c : header) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c != '_' && c != ' ' && c != '-' && c != '.') out.push_back(c);
  }
  return out;
}

bool IsOneOf(const std::string& plain, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), plain) != words.end();
}

bool Mentions(const std::string& plain, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return plain.find(w) != std::string::npos; });
}

bool SaysTruth(const std::string& plain) {
  return IsOneOf(plain, {"cluster",     "clusterid",     "label",   "labels",   "truth",
                         "person",      "personid",      "entity",  "entityid", "trueid",
                         "truematch",   "truthid",       "groupid", "ismatch",  "isduplicate",
                         "duplicateof", "sourcedataset", "dataset", "真值",     "人员编号"});
}

bool NamesRows(const std::string& plain) {
  return IsOneOf(plain, {"id", "uniqueid", "recid", "recordid", "rowid", "row", "index", "uuid",
                         "unnamed:0", "记录号", "序号"});
}

bool IsHan(char32_t c) { return c >= 0x3400 && c <= 0x9FFF; }

Contents LookAt(const std::vector<Table>& tables, const std::string& header) {
  Contents out;
  std::map<std::string_view, uint64_t> counts;
  std::u32string text;
  for (const Table& table : tables) {
    const Column& column = table.columns[table.Find(header)];
    std::vector<uint64_t> rows(column.values.size());
    for (Code code : column.rows) ++rows[code];
    for (Code code = 1; code < rows.size(); ++code) counts[column.values[code]] += rows[code];
  }
  for (const auto& [value, n] : counts) {
    Decode(value, &text);
    out.present += n;
    ++out.distinct;
    out.characters += text.size() * n;
    out.dates += ParseDay(value) ? n : 0;
    out.mails += value.find('@') != std::string_view::npos ? n : 0;
    out.blanks += value.find(' ') != std::string_view::npos ? n : 0;
    out.digits += std::all_of(value.begin(), value.end(),
                              [](char c) {
                                return (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '+' ||
                                       c == '(' || c == ')' || c == '.';
                              })
                      ? n
                      : 0;
    out.han += std::all_of(text.begin(), text.end(), IsHan) ? n : 0;
    out.pairs += n * (n - 1) / 2;
  }
  return out;
}

Role RoleOf(const std::string& header, const Contents& p, size_t rows) {
  const std::string plain = Plain(header);
  if (SaysTruth(plain)) return Role::kNone;
  if (NamesRows(plain) && p.share(p.distinct) > 0.4) return Role::kId;
  if (p.present * 50 < rows || p.distinct < 2) return Role::kNone;
  if (p.share(p.han) > 0.6 && p.length() < 4.5 &&
      Mentions(plain, {"name", "姓名", "名字", "xm", "xingming"})) {
    return Role::kHanName;
  }
  if (p.share(p.mails) > 0.6) return Role::kMail;
  // Birth dates of eight digits are dates only where nothing else is one by accident.
  if (p.share(p.dates) > 0.7) return Role::kDate;
  if (IsOneOf(plain, {"given", "givenname", "givennames", "firstname", "forename", "forenames",
                      "fname", "first", "first1", "forename1", "名"})) {
    return Role::kGiven;
  }
  if (IsOneOf(plain,
              {"surname", "lastname", "familyname", "lname", "sname", "last", "surname1", "姓"})) {
    return Role::kSurname;
  }
  if (p.share(p.digits) > 0.8) {
    if (Mentions(plain, {"phone", "mobile", "tel", "cell", "fax", "电话", "手机"})) {
      return Role::kPhone;
    }
    return p.distinct > 12 ? Role::kCode : Role::kWord;
  }
  if (Mentions(plain, {"fullname", "personname", "name"}) &&
      !Mentions(plain, {"middle", "city", "town", "street", "place", "user"}) &&
      p.share(p.blanks) > 0.4) {
    return Role::kName;
  }
  if (p.share(p.blanks) < 0.1 && p.length() <= 12 &&
      Mentions(plain, {"post", "zip", "code", "ssn", "number", "no", "plate", "id"})) {
    return Role::kCode;
  }
  if (p.distinct <= 40 || p.length() < 3) return Role::kWord;
  return Role::kText;
}

class ModelText {
 public:
  template <typename... Args>
  void Line(fmt::format_string<const Args&...> format, const Args&... args) {
    out_ += fmt::format(format, args...);
    out_.push_back('\n');
  }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// In quotes as TOML wants them.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (static_cast<uint8_t>(c) >= 0x20) out.push_back(c);
  }
  return out + "\"";
}

void Names(const std::string& given, const std::string& surname, ModelText* out) {
  const std::string g = Quoted(given);
  const std::string s = Quoted(surname);
  const std::string both = fmt::format("[{}, {}]", g, s);
  auto alike = [](const std::string& column, const char* at_least) {
    return fmt::format("{{ jaro_winkler = {}, at_least = {} }}", column, at_least);
  };
  const std::string any =
      fmt::format("any = [{}, {}, {}]", alike(g, "0.8"), alike(s, "0.8"), alike(both, "0.8"));
  out->Line("[[comparison]]\nname = \"name\"\nmissing = \"all\"\nlevel = [");
  out->Line("  {{ all = [{{ exact = {} }}, {{ exact = {} }}], frequency = {} }},", g, s, both);
  out->Line("  {{ swapped = {}, frequency = {} }},", both, both);
  out->Line("  {{ all = [{}, {}], frequency = {}, frequency_percent = 50 }},", alike(g, "0.8"),
            alike(s, "0.8"), both);
  out->Line("  {{ jaro_winkler = {}, at_least = 0.8, both_ways = true }},", both);
  out->Line("  {{ all = [{{ missing = {} }}, {{ exact = {} }}], frequency = {} }},", g, s, s);
  out->Line("  {{ all = [{{ missing = {} }}, {{ exact = {} }}], frequency = {} }},", s, g, g);
  out->Line("  {{ all = [{{ any = [{{ missing = {} }}, {{ missing = {} }}] }}, {{ {} }}] }},", g, s,
            any);
  out->Line("  {{ all = [{{ missing = {} }}, {{ missing = {} }}], says_nothing = true }},", g, s);
  out->Line("  {{ exact = {}, frequency = {} }},", s, s);
  out->Line("  {{ exact = {}, frequency = {} }},", g, g);
  out->Line("  {{ {} }},", any);
  out->Line("  {{ else = true }},\n]\n");
}

// One of two columns that may stand for each other (address_1, address_2).
void Crossed(const Guessed& c, const Guessed& other, ModelText* out) {
  const std::string n = Quoted(c.name);
  const std::string both = fmt::format("[{}, {}]", n, Quoted(other.name));
  out->Line("[[comparison]]\nname = {}\nmissing = \"all\"\nlevel = [", n);
  out->Line("  {{ exact = {}, frequency = {} }},", n, n);
  out->Line("  {{ exact = {}, frequency = {} }},", both, n);
  out->Line("  {{ jaro_winkler = {}, at_least = 0.88 }},", n);
  out->Line("  {{ jaro_winkler = {}, at_least = 0.88 }},", both);
  out->Line("  {{ missing = {}, says_nothing = true }},", n);
  out->Line("  {{ else = true }},\n]\n");
}

void One(const Guessed& c, ModelText* out) {
  const std::string n = Quoted(c.name);
  out->Line("[[comparison]]\nname = {}\nlevel = [", n);
  const bool rare = c.profile.distinct * 2 > c.profile.present && c.role != Role::kText;
  if (rare) {
    out->Line("  {{ exact = {} }},", n);
  } else {
    out->Line("  {{ exact = {}, frequency = {} }},", n, n);
  }
  auto edits = [&](int at_most) {
    out->Line("  {{ damerau_levenshtein = {}, at_most = {} }},", n, at_most);
  };
  auto winkler = [&](const char* at_least) {
    out->Line("  {{ jaro_winkler = {}, at_least = {}, frequency = {}, frequency_percent = 50 }},",
              n, at_least, n);
  };
  switch (c.role) {
    case Role::kDate:
      edits(1);
      out->Line("  {{ any = [{{ day_month_swapped = {} }}, {{ months = {}, at_most = 1 }}] }},", n,
                n);
      edits(2);
      out->Line("  {{ years = {}, at_most = 1 }},", n);
      break;
    case Role::kMail:
      edits(2);
      edits(5);
      break;
    case Role::kPhone:
    case Role::kCode:
      edits(1);
      if (c.profile.length() >= 6) edits(2);
      break;
    case Role::kHanName:
      out->Line("  {{ name = {}, frequency = {}, frequency_percent = 50 }},", n, n);
      break;
    case Role::kName:
      out->Line("  {{ exact = {} }},", Quoted(c.name + " sorted"));
      winkler("0.92");
      out->Line("  {{ jaro_winkler = {}, at_least = 0.92 }},", Quoted(c.name + " sorted"));
      winkler("0.84");
      out->Line("  {{ shared = {}, at_least = 1 }},", n);
      break;
    case Role::kGiven:
    case Role::kSurname:
    case Role::kText:
      winkler("0.92");
      winkler("0.8");
      break;
    case Role::kWord:
      if (c.profile.length() >= 5) winkler("0.85");
      break;
    default:
      break;
  }
  out->Line("  {{ else = true }},\n]\n");
}

std::string Prepared(const Guessed& c) {
  std::string column = "`" + c.header + "`";
  switch (c.role) {
    case Role::kPhone:
      return "digits(" + column + ")";
    case Role::kMail:
    case Role::kGiven:
    case Role::kSurname:
    case Role::kName:
      return "lower(trim(" + column + "))";
    case Role::kHanName:
      return "fold(" + column + ")";
    case Role::kCode:
    case Role::kWord:
      return "lower(" + column + ")";
    case Role::kText:
      return "lower(alnum(" + column + "))";
    default:
      return column;
  }
}

// The other column of a pair as address_1 and address_2.
const Guessed* TwinOf(const Guessed& c, const std::vector<Guessed>& all) {
  if (c.role != Role::kText || c.header.size() < 2) return nullptr;
  const std::string_view stem(c.header.data(), c.header.size() - 1);
  const char last = c.header.back();
  for (const Guessed& other : all) {
    if (other.role == Role::kText && other.header.size() == c.header.size() &&
        std::string_view(other.header).starts_with(stem) && other.header.back() != last &&
        last >= '1' && last <= '2' && other.header.back() >= '1' && other.header.back() <= '2') {
      return &other;
    }
  }
  return nullptr;
}

void WriteRules(const std::vector<Guessed>& used, size_t rows, ModelText* out) {
  // Alone, where that gives a few pairs a row; two together, of those that tell most.
  const uint64_t few = std::max<uint64_t>(2'000'000, rows * 30);
  std::vector<const Guessed*> keys;
  for (const Guessed& c : used) keys.push_back(&c);
  std::stable_sort(keys.begin(), keys.end(), [](const Guessed* a, const Guessed* b) {
    return a->profile.pairs < b->profile.pairs;
  });
  size_t rules = 0;
  auto rule = [&](const std::string& on) {
    if (++rules > 30) return;
    out->Line("[[blocking]]\non = {}\nup_to = {}\n", on, few);
  };
  for (const Guessed* c : keys) {
    if (c->profile.distinct > 40) rule(Quoted(c->name));
  }
  auto key = [](const Guessed& c) {
    if (c.role == Role::kSurname) return Quoted(fmt::format("soundex(`{}`)", c.name));
    if (c.role == Role::kGiven || c.role == Role::kText || c.role == Role::kName) {
      return Quoted(fmt::format("substr(`{}`, 1, 4)", c.name));
    }
    if (c.role == Role::kHanName) return Quoted(fmt::format("substr(`{}`, 1, 1)", c.name));
    if (c.role == Role::kDate) return Quoted(fmt::format("year(`{}`)", c.name));
    return Quoted(c.name);
  };
  for (size_t i = 0; i < keys.size() && i < 7; ++i) {
    for (size_t j = i + 1; j < keys.size() && j < 7; ++j) {
      rule(fmt::format("[{}, {}]", key(*keys[i]), key(*keys[j])));
    }
  }
  out->Line("[[blocking]]\non = []\nup_to = 50000000\n");
}

}  // namespace

Result<std::string> GuessModel(const std::vector<Table>& tables, const GuessOptions& options) {
  std::vector<Guessed> used;
  std::string id;
  size_t rows = 0;
  for (const Table& table : tables) rows += table.rows();
  std::set<std::string> names;
  for (const std::string& header : tables.front().header) {
    const bool everywhere = std::all_of(tables.begin(), tables.end(),
                                        [&](const Table& t) { return t.Find(header) != SIZE_MAX; });
    const bool ignored =
        std::find(options.ignored.begin(), options.ignored.end(), header) != options.ignored.end();
    // What a model's text cannot name is left alone.
    if (!everywhere || ignored || header.find_first_of("`\"\\\n\r\t") != std::string::npos)
      continue;
    Guessed c;
    c.header = header;
    c.profile = LookAt(tables, header);
    c.role = RoleOf(header, c.profile, rows);
    if (c.role == Role::kId) {
      if (id.empty()) id = header;
      continue;
    }
    if (c.role == Role::kNone) continue;
    c.name = header;
    if (names.insert(c.name).second) used.push_back(std::move(c));
  }
  if (used.empty()) {
    return Fail(Error{ErrorClass::kInput,
                      std::string(kErrNoRoles),
                      Msg("看不出按哪些列关联", "no column is of use for linking"),
                      Msg("请用 --model 给出模型", "give a model with --model"),
                      {},
                      1,
                      0});
  }
  // Those that tell most, when there are more than a model has room for.
  if (used.size() > kMostComparisonsGuessed) {
    std::vector<uint64_t> pairs;
    for (const Guessed& c : used) pairs.push_back(c.profile.pairs);
    std::nth_element(pairs.begin(), pairs.begin() + kMostComparisonsGuessed - 1, pairs.end());
    const uint64_t most = pairs[kMostComparisonsGuessed - 1];
    std::erase_if(used, [&](const Guessed& c) { return c.profile.pairs > most; });
    used.resize(std::min(used.size(), kMostComparisonsGuessed));
  }

  ModelText out;
  out.Line("# Made for the columns of the tables.\nversion = 1\nname = \"guessed\"");
  if (!id.empty()) out.Line("id = {}", Quoted(id));
  if (options.link_only) out.Line("mode = \"link_only\"\none_per_file = true");
  out.Line("\n[columns]");
  const Guessed* given = nullptr;
  const Guessed* surname = nullptr;
  for (const Guessed& c : used) {
    out.Line("{} = {}", Quoted(c.name), Quoted(Prepared(c)));
    if (c.role == Role::kName) {
      out.Line("{} = {}", Quoted(c.name + " sorted"), Quoted(fmt::format("sorted(`{}`)", c.name)));
    }
    if (c.role == Role::kGiven && given == nullptr) given = &c;
    if (c.role == Role::kSurname && surname == nullptr) surname = &c;
  }
  out.Line("");
  const bool both = given != nullptr && surname != nullptr;
  if (both) Names(given->name, surname->name, &out);
  for (const Guessed& c : used) {
    if (both && (&c == given || &c == surname)) continue;
    const Guessed* twin = TwinOf(c, used);
    // Of the two one takes the crossing into account: it must not count twice.
    if (twin != nullptr && c.header.back() == '1') {
      Crossed(c, *twin, &out);
    } else {
      One(c, &out);
    }
  }
  WriteRules(used, rows, &out);
  out.Line("[decision]\nbits = 0");
  return out.Take();
}

}  // namespace canbao::linkage
