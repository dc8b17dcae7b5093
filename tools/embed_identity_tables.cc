// Turns the committed data of src/identity into C++ tables at build time:
//   embed_identity_tables numbers data/identity OUT.inc
//   embed_identity_tables names   data/names    OUT.inc
// Runs on the build machine; prints what is wrong with file and line, and fails the build.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

[[noreturn]] void Die(const std::string& what) {
  std::cerr << "embed_identity_tables: " << what << '\n';
  std::exit(1);
}

struct Row {
  std::vector<std::string> fields;
  std::string where;
};

// The CSV of data/: '#' comments, a header line, fields without quotation marks.
std::vector<Row> ReadCsv(const std::string& path, size_t columns) {
  std::ifstream in(path);
  if (!in) Die("cannot read " + path);
  std::vector<Row> rows;
  std::string line;
  bool header = true;
  for (int number = 1; std::getline(in, line); ++number) {
    // Data may begin with '#': only the lines before the header are comments.
    if (line.empty() || (header && line[0] == '#')) continue;
    Row row{{}, path + ":" + std::to_string(number)};
    std::stringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.fields.push_back(cell);
    if (line.back() == ',') row.fields.emplace_back();
    if (row.fields.size() != columns)
      Die(row.where + ": expected " + std::to_string(columns) + " fields");
    if (!header) rows.push_back(std::move(row));
    header = false;
  }
  if (rows.empty()) Die(path + ": no rows");
  return rows;
}

char32_t OnlyCharacter(const std::string& utf8, const std::string& where) {
  const auto* p = reinterpret_cast<const unsigned char*>(utf8.data());
  const size_t n = utf8.size();
  if (n == 2) return static_cast<char32_t>((p[0] & 0x1F) << 6 | (p[1] & 0x3F));
  if (n == 3)
    return static_cast<char32_t>((p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
  if (n == 4) {
    return static_cast<char32_t>((p[0] & 7) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 |
                                 (p[3] & 0x3F));
  }
  Die(where + ": not one character: " + utf8);
}

std::vector<std::string> Characters(const std::string& utf8) {
  std::vector<std::string> out;
  for (char c : utf8) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) out.emplace_back();
    if (!out.empty()) out.back().push_back(c);
  }
  return out;
}

char32_t FromHex(const std::string& text, const std::string& where) {
  if (text.size() < 6 || text.substr(0, 2) != "U+") Die(where + ": not U+XXXX: " + text);
  return static_cast<char32_t>(std::stoul(text.substr(2), nullptr, 16));
}

std::string Quoted(const std::string& s) {
  std::string out = "\"";
  for (char c : s) {
    if (c == '"' || c == '\\' || c == '?') out += '\\';
    out += c;
  }
  return out + '"';
}

void Numbers(const std::string& dir, std::ostream& out) {
  std::vector<Row> rows = ReadCsv(dir + "/placeholders.csv", 5);
  out << "constexpr std::string_view kPlaceholderTexts[] = {\n";
  for (const Row& r : rows) {
    if (r.fields[0] == "text") out << Quoted(r.fields[1]) << ",\n";
  }
  out << "};\nconstexpr char kPlaceholderRepeats[] = {\n";
  for (const Row& r : rows) {
    if (r.fields[0] == "repeat") {
      if (r.fields[1].size() != 1) Die(r.where + ": one ASCII character expected");
      out << static_cast<int>(r.fields[1][0]) << ",\n";
    } else if (r.fields[0] != "text" && r.fields[0] != "run") {
      Die(r.where + ": unknown kind " + r.fields[0]);
    }
  }
  out << "};\nstruct PlaceholderRun { std::string_view text; size_t at_least; };\n"
         "constexpr PlaceholderRun kPlaceholderRuns[] = {\n";
  for (const Row& r : rows) {
    if (r.fields[0] == "run") {
      out << "{.text = " << Quoted(r.fields[1]) << ", .at_least = " << std::stoul(r.fields[2])
          << "},\n";
    }
  }
  out << "};\nconstexpr DocumentType kDocumentTypes[] = {\n";
  const std::map<std::string, std::string> families = {
      {"citizen", "kCitizen"},
      {"military", "kMilitary"},
      {"hk_macao", "kHongKongMacao"},
      {"taiwan", "kTaiwan"},
      {"permanent_residence", "kPermanentResidence"},
      {"passport", "kPassport"},
      {"other", "kOther"}};
  for (const Row& r : ReadCsv(dir + "/document_types.csv", 5)) {
    auto family = families.find(r.fields[1]);
    if (family == families.end()) Die(r.where + ": unknown family " + r.fields[1]);
    out << "{" << Quoted(r.fields[0]) << ", Family::" << family->second << "},\n";
  }
  out << "};\n";
}

// Five letters of Cangjie in 25 bits, first letter lowest, 0 = none.
uint32_t PackCangjie(const std::string& code, const std::string& where) {
  uint32_t packed = 0;
  for (size_t i = 0; i < code.size() && i < 5; ++i) {
    if (code[i] < 'A' || code[i] > 'Z') Die(where + ": Cangjie code " + code);
    packed |= static_cast<uint32_t>(code[i] - 'A' + 1) << (5 * i);
  }
  return packed;
}

// Four corners as 4 × 4 bits plus one, 0 = unknown.
uint32_t PackCorners(const std::string& code) {
  if (code.size() < 4) return 0;
  uint32_t packed = 0;
  for (size_t i = 0; i < 4; ++i) packed = packed << 4 | static_cast<uint32_t>(code[i] - '0');
  return packed + 1;
}

void Names(const std::string& dir, std::ostream& out) {
  // fold
  std::vector<std::pair<char32_t, char32_t>> bmp;
  std::vector<std::pair<char32_t, char32_t>> beyond;
  for (const Row& r : ReadCsv(dir + "/fold.csv", 3)) {
    char32_t from = FromHex(r.fields[0], r.where);
    char32_t to = FromHex(r.fields[1], r.where);
    // Private use → beyond the BMP has no place in the 16-bit table: it goes with the wide ones.
    (from <= 0xFFFF && to <= 0xFFFF ? bmp : beyond).emplace_back(from, to);
  }
  out << "constexpr uint16_t kFoldPairs[][2] = {\n";
  for (auto [from, to] : bmp) {
    out << '{' << static_cast<uint32_t>(from) << ',' << static_cast<uint32_t>(to) << "},\n";
  }
  std::sort(beyond.begin(), beyond.end());
  out << "};\nconstexpr char32_t kFoldWide[][2] = {\n";
  for (auto [from, to] : beyond) {
    out << '{' << static_cast<uint32_t>(from) << ',' << static_cast<uint32_t>(to) << "},\n";
  }
  out << "};\n";

  // readings and shapes
  const std::vector<Row> characters = ReadCsv(dir + "/characters.csv", 5);
  const std::vector<Row> surnames = ReadCsv(dir + "/surnames.csv", 4);
  std::vector<std::string> syllables = {""};
  auto collect = [&](const std::string& text) {
    std::stringstream in(text);
    for (std::string s; in >> s;) syllables.push_back(s);
  };
  for (const Row& r : characters) collect(r.fields[1]);
  for (const Row& r : surnames) collect(r.fields[1]);
  std::sort(syllables.begin(), syllables.end());
  syllables.erase(std::unique(syllables.begin(), syllables.end()), syllables.end());
  if (syllables.size() > 0xFFFF) Die("too many syllables");
  auto ids = [&](const std::string& text) {
    std::vector<uint16_t> v;
    std::stringstream in(text);
    for (std::string s; in >> s;) {
      v.push_back(static_cast<uint16_t>(std::lower_bound(syllables.begin(), syllables.end(), s) -
                                        syllables.begin()));
    }
    return v;
  };
  out << "constexpr std::string_view kSyllables[] = {\n";
  for (const std::string& s : syllables) out << Quoted(s) << ',';
  out << "};\n// {code point, readings, Cangjie, four corners, strokes}, ascending.\n"
         "constexpr CharacterRow kCharacters[] = {\n";
  char32_t last = 0;
  for (const Row& r : characters) {
    char32_t cp = OnlyCharacter(r.fields[0], r.where);
    if (cp <= last) Die(r.where + ": not ascending");
    last = cp;
    std::vector<uint16_t> readings = ids(r.fields[1]);
    readings.resize(4);
    out << '{' << static_cast<uint32_t>(cp) << ",{";
    for (uint16_t id : readings) out << id << ',';
    out << "}," << PackCangjie(r.fields[2], r.where) << ',' << PackCorners(r.fields[3]) << ','
        << (r.fields[4].empty() ? "0" : r.fields[4]) << "},\n";
  }
  out << "};\nconstexpr SurnameRow kSurnames[] = {\n";
  std::map<std::pair<char32_t, char32_t>, std::vector<uint16_t>> sorted;
  for (const Row& r : surnames) {
    std::vector<std::string> cs = Characters(r.fields[0]);
    std::vector<uint16_t> v = ids(r.fields[1]);
    if (cs.empty() || cs.size() > 2 || v.size() != cs.size()) Die(r.where + ": surname");
    v.resize(2);
    auto key = std::make_pair(OnlyCharacter(cs[0], r.where),
                              cs.size() == 2 ? OnlyCharacter(cs[1], r.where) : char32_t{0});
    if (!sorted.emplace(key, v).second) Die(r.where + ": twice");
  }
  for (const auto& [key, v] : sorted) {
    out << "{{" << static_cast<uint32_t>(key.first) << ',' << static_cast<uint32_t>(key.second)
        << "},{" << v[0] << ',' << v[1] << "}},\n";
  }
  out << "};\nconstexpr uint16_t kAlikePairs[][2] = {\n";
  std::vector<std::pair<char32_t, char32_t>> alike;
  for (const Row& r : ReadCsv(dir + "/alike.csv", 2)) {
    alike.emplace_back(FromHex(r.fields[0], r.where), FromHex(r.fields[1], r.where));
  }
  std::sort(alike.begin(), alike.end());
  for (auto [a, b] : alike) {
    if (a > b || b > 0xFFFF) Die("alike.csv: a < b ≤ U+FFFF expected");
    out << '{' << static_cast<uint32_t>(a) << ',' << static_cast<uint32_t>(b) << "},\n";
  }
  out << "};\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) Die("usage: numbers|names DATA_DIR OUT");
  std::ostringstream text;
  text << "// Made by tools/embed_identity_tables.cc; not to be edited.\n";
  const std::string what = argv[1];
  if (what == "numbers") {
    Numbers(argv[2], text);
  } else if (what == "names") {
    Names(argv[2], text);
  } else {
    Die("unknown table " + what);
  }
  std::ofstream file(argv[3], std::ios::binary);
  file << text.str();
  if (!file.flush()) Die(std::string("cannot write ") + argv[3]);
}
