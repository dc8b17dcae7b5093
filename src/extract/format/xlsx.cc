#include "extract/format/xlsx.h"

#include <expat.h>
#include <zip.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

#include "base/date.h"
#include "extract/errors.h"
#include "extract/typing/date_text.h"

namespace canbao::extract {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;
constexpr size_t kMaxCellBytes = size_t{1} << 20;
constexpr size_t kMaxSharedBytes = size_t{1} << 30;
constexpr size_t kMaxPartBytes = size_t{64}
                                 << 20;  // of the small parts: workbook, styles, relations
constexpr uint32_t kMaxColumns = 16384;
constexpr uint64_t kMaxRows = 1048576;

using Attributes = const char**;

// "x:row" → "row": prefixes are the producer's choice.
std::string_view Local(const char* name) {
  const char* colon = std::strrchr(name, ':');
  return colon == nullptr ? name : colon + 1;
}

std::string_view Attribute(Attributes attributes, std::string_view name) {
  for (; *attributes != nullptr; attributes += 2) {
    if (Local(attributes[0]) == name) return attributes[1];
  }
  return {};
}

bool ToWhole(std::string_view text, uint64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsTrue(std::string_view text) { return text == "1" || text == "true" || text == "on"; }

// Formats that show a date: built in ones by number, others by their letters.
bool IsDateFormat(uint64_t id) {
  return (id >= 14 && id <= 17) || id == 22 || (id >= 27 && id <= 31) || id == 36 ||
         (id >= 50 && id <= 54) || id == 57 || id == 58;
}
bool IsDateFormat(std::string_view code) {
  bool quoted = false;
  bool bracket = false;
  bool month = false;  // or minutes, when there are hours or seconds
  bool time = false;
  for (size_t i = 0; i < code.size(); ++i) {
    char c = code[i];
    if (quoted) {
      quoted = c != '"';
    } else if (bracket) {
      bracket = c != ']';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[') {
      bracket = true;
    } else if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == ';') {
      break;  // the format of positive numbers decides
    } else {
      char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (lower == 'y' || lower == 'd') return true;
      month = month || lower == 'm';
      time = time || lower == 'h' || lower == 's';
    }
  }
  return month && !time;
}

// _x000D_: how the format writes characters that XML cannot.
void Unescape(std::string* text) {
  size_t at = text->find("_x");
  if (at == std::string::npos) return;
  std::string out;
  for (size_t i = 0; i < text->size();) {
    unsigned code = 0;
    const char* p = text->data() + i;
    if (i + 7 <= text->size() && p[0] == '_' && p[1] == 'x' && p[6] == '_') {
      auto [end, error] = std::from_chars(p + 2, p + 6, code, 16);
      if (error == std::errc() && end == p + 6 && code < 0x80 && code != 0) {
        out += static_cast<char>(code);
        i += 7;
        continue;
      }
    }
    out += (*text)[i++];
  }
  *text = std::move(out);
}

std::string NumberText(std::string_view raw, bool date, bool date1904) {
  uint64_t whole = 0;
  if (!date && raw.size() <= 15 && ToWhole(raw, &whole)) return std::string(raw);
  double value = 0;
  auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc() || end != raw.data() + raw.size() || !std::isfinite(value)) {
    return std::string(raw);
  }
  if (date) {
    if (value < 0 || value > 3e6) return std::string(raw);
    auto serial = static_cast<int64_t>(value);
    return serial == 0 && !date1904 ? std::string() : DateOfSerial(serial, date1904).ToIso();
  }
  char room[64];
  bool integral = std::fabs(value) < 1e18 * 1e6 && std::floor(value) == value;
  std::to_chars_result out{};
  if (integral && std::fabs(value) < 1e15) {
    out = std::to_chars(room, room + sizeof room, static_cast<int64_t>(value));
  } else if (integral) {
    out = std::to_chars(room, room + sizeof room, value, std::chars_format::scientific, 14);
  } else {
    out = std::to_chars(room, room + sizeof room, value, std::chars_format::general, 15);
  }
  std::string text(room, out.ptr);
  for (char& c : text) {
    if (c == 'e') c = 'E';
  }
  return text;
}

struct ZipCloser {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
struct ZipFileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
struct ParserFree {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Zip = std::unique_ptr<zip_t, ZipCloser>;
using ZipFile = std::unique_ptr<zip_file_t, ZipFileCloser>;
using Parser = std::unique_ptr<std::remove_pointer_t<XML_Parser>, ParserFree>;

// Handlers of one XML part. Texts are those of the element that is open.
struct Handlers {
  std::function<void(std::string_view name, Attributes attributes)> start;
  std::function<void(std::string_view name)> end;
  std::function<void(std::string_view text)> text;
  bool doctype = false;
  XML_Parser parser = nullptr;
};

Parser MakeParser(Handlers* handlers) {
  Parser parser(XML_ParserCreate(nullptr));
  if (parser == nullptr) throw std::bad_alloc();
  handlers->parser = parser.get();
  XML_SetUserData(parser.get(), handlers);
  XML_SetElementHandler(
      parser.get(),
      [](void* user, const XML_Char* name, const XML_Char** attributes) {
        static_cast<Handlers*>(user)->start(Local(name), attributes);
      },
      [](void* user, const XML_Char* name) { static_cast<Handlers*>(user)->end(Local(name)); });
  XML_SetCharacterDataHandler(parser.get(), [](void* user, const XML_Char* text, int size) {
    static_cast<Handlers*>(user)->text({text, static_cast<size_t>(size)});
  });
  // A workbook has no document type; entities would only be there to do harm.
  XML_SetStartDoctypeDeclHandler(
      parser.get(), [](void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
        auto* h = static_cast<Handlers*>(user);
        h->doctype = true;
        XML_StopParser(h->parser, XML_FALSE);
      });
  return parser;
}

struct Sheet {
  std::string name;
  std::string part;
  int index = 0;
};

class XlsxSource : public TableSource {
 public:
  XlsxSource(Zip zip, std::string path) : zip_(std::move(zip)), path_(std::move(path)) {}

  Status Init() {
    CANBAO_ASSIGN(std::string book, FindWorkbook());
    CANBAO_TRY(ReadWorkbook(book));
    if (!shared_part_.empty()) CANBAO_TRY(ReadSharedStrings());
    if (!styles_part_.empty()) CANBAO_TRY(ReadStyles());
    return {};
  }

  Result<bool> Next(size_t want, TableChunk* chunk) override {
    chunk->Clear();
    for (;;) {
      if (file_ == nullptr) {
        if (next_sheet_ >= sheets_.size()) return false;
        CANBAO_TRY(StartSheet(sheets_[next_sheet_++]));
      }
      const Sheet& sheet = sheets_[next_sheet_ - 1];
      chunk->sheet = sheet.index;
      chunk->sheet_name = sheet.name;
      chunk_ = chunk;
      // The cells of a row that the chunk before broke off at.
      for (size_t i = 0; i < broken_off_.size(); ++i) {
        if (!broken_off_[i].empty()) row_cells_[i] = Store(broken_off_[i]);
      }
      broken_off_.clear();
      bool more = true;
      while (more && chunk->rows.size() < want) {
        CANBAO_ASSIGN(more, Feed(sheet));
      }
      chunk_ = nullptr;
      if (more) {
        broken_off_.assign(row_cells_.begin(), row_cells_.end());
      } else {
        EndSheet();
      }
      if (!chunk->rows.empty()) return true;
    }
  }

  void SkipSheet() override { EndSheet(); }
  bool date1904() const override { return date1904_; }

 private:
  tl::unexpected<Error> Damaged(const Text& why, int64_t line = 0) const {
    return Fail(Error{
        ErrorClass::kInput, kErrWorkbook,
        Msg("工作簿不完整或已损坏：{0}", "the workbook is incomplete or damaged: {0}", why.Get()),
        Msg("请用电子表格软件打开并另存后重新交付",
            "open it in a spreadsheet program, save it again and deliver that"),
        path_, line, 0});
  }
  tl::unexpected<Error> TooLarge(const Text& why) const {
    return Fail(Error{ErrorClass::kInput, kErrWorkbookTooLarge, why,
                      Msg("请另存为 UTF-8 的 CSV", "save it as CSV in UTF-8"), path_, 0, 0});
  }

  Result<ZipFile> OpenPart(const std::string& part) {
    ZipFile file(zip_fopen(zip_.get(), part.c_str(), ZIP_FL_NOCASE));
    if (file == nullptr) {
      return Damaged(Msg("缺少 {0}（{1}）", "{0} is missing ({1})", part,
                         std::string(zip_strerror(zip_.get()))));
    }
    return file;
  }
  bool HasPart(const std::string& part) const {
    return zip_name_locate(zip_.get(), part.c_str(), ZIP_FL_NOCASE) >= 0;
  }

  // Runs a whole part through the handlers.
  Status Parse(const std::string& part, Handlers* handlers, size_t limit) {
    CANBAO_ASSIGN(ZipFile file, OpenPart(part));
    Parser parser = MakeParser(handlers);
    std::vector<char> buffer(kReadBytes);
    size_t total = 0;
    for (;;) {
      zip_int64_t n = zip_fread(file.get(), buffer.data(), buffer.size());
      if (n < 0) return Damaged(Text{part, part});
      total += static_cast<size_t>(n);
      if (total > limit) {
        return TooLarge(Msg("工作簿的 {0} 过大", "{0} of the workbook is too large", part));
      }
      if (XML_Parse(parser.get(), buffer.data(), static_cast<int>(n), n == 0) != XML_STATUS_OK) {
        return Damaged(XmlError(part, parser.get()));
      }
      if (n == 0) return {};
    }
  }
  static Text XmlError(const std::string& part, XML_Parser parser) {
    return Msg("{0}：{1}", "{0}: {1}", part,
               std::string(XML_ErrorString(XML_GetErrorCode(parser))));
  }

  struct Relation {
    std::string type;
    std::string part;
  };
  // Relations of `part`; targets are relative to its folder, or absolute.
  Result<std::map<std::string, Relation>> ReadRelations(const std::string& part) {
    size_t slash = part.rfind('/');
    std::string folder = slash == std::string::npos ? "" : part.substr(0, slash + 1);
    std::string name =
        folder + "_rels/" + (slash == std::string::npos ? part : part.substr(slash + 1)) + ".rels";
    std::map<std::string, Relation> relations;
    if (!HasPart(name)) return relations;
    Handlers handlers;
    handlers.start = [&](std::string_view element, Attributes attributes) {
      if (element != "Relationship") return;
      std::string target(Attribute(attributes, "Target"));
      if (target.starts_with('/')) {
        target = target.substr(1);
      } else {
        target = folder + target;
      }
      // xl/../x → x
      for (size_t up; (up = target.find("/../")) != std::string::npos;) {
        size_t begin = target.rfind('/', up == 0 ? 0 : up - 1);
        target = (begin == std::string::npos || up == 0 ? "" : target.substr(0, begin + 1)) +
                 target.substr(up + 4);
      }
      std::string_view type = Attribute(attributes, "Type");
      size_t last = type.rfind('/');
      relations[std::string(Attribute(attributes, "Id"))] = {
          std::string(last == std::string_view::npos ? type : type.substr(last + 1)), target};
    };
    handlers.end = [](std::string_view) {};
    handlers.text = [](std::string_view) {};
    CANBAO_TRY(Parse(name, &handlers, kMaxPartBytes));
    return relations;
  }

  Result<std::string> FindWorkbook() {
    CANBAO_ASSIGN(auto relations, ReadRelations(""));
    for (const auto& [id, relation] : relations) {
      if (relation.type == "officeDocument") return relation.part;
    }
    return std::string("xl/workbook.xml");
  }

  Status ReadWorkbook(const std::string& book) {
    CANBAO_ASSIGN(auto relations, ReadRelations(book));
    for (const auto& [id, relation] : relations) {
      if (relation.type == "sharedStrings") shared_part_ = relation.part;
      if (relation.type == "styles") styles_part_ = relation.part;
    }
    int index = 0;
    Handlers handlers;
    handlers.start = [&](std::string_view element, Attributes attributes) {
      if (element == "workbookPr") date1904_ = IsTrue(Attribute(attributes, "date1904"));
      if (element != "sheet") return;
      Sheet sheet;
      sheet.index = index++;
      sheet.name = Attribute(attributes, "name");
      std::string_view state = Attribute(attributes, "state");
      auto at = relations.find(std::string(Attribute(attributes, "id")));
      if (at == relations.end() || at->second.type != "worksheet") return;
      if (state == "hidden" || state == "veryHidden") return;
      sheet.part = at->second.part;
      sheets_.push_back(std::move(sheet));
    };
    handlers.end = [](std::string_view) {};
    handlers.text = [](std::string_view) {};
    CANBAO_TRY(Parse(book, &handlers, kMaxPartBytes));
    if (index > 256) {
      return TooLarge(Msg("工作簿有 {0} 个工作表，超过 256 个",
                          "the workbook has {0} sheets, more than 256", index));
    }
    return {};
  }

  Status ReadSharedStrings() {
    // A producer may name the part and leave it out when there is no text.
    if (!HasPart(shared_part_)) return {};
    bool in_text = false;
    int phonetic = 0;
    bool too_large = false;
    std::string text;
    Handlers handlers;
    handlers.start = [&](std::string_view element, Attributes) {
      if (element == "si") text.clear();
      if (element == "rPh") ++phonetic;
      if (element == "t") in_text = phonetic == 0;
    };
    handlers.end = [&](std::string_view element) {
      if (element == "rPh") --phonetic;
      if (element == "t") in_text = false;
      if (element != "si") return;
      Unescape(&text);
      shared_.push_back({shared_text_.size(), text.size()});
      shared_text_ += text;
    };
    handlers.text = [&](std::string_view part) {
      if (in_text && text.size() < kMaxCellBytes) text += part;
      if (shared_text_.size() > kMaxSharedBytes && !too_large) {
        too_large = true;
        XML_StopParser(handlers.parser, XML_FALSE);
      }
    };
    Status status = Parse(shared_part_, &handlers, size_t{8} << 30);
    if (too_large) return TooLarge(Msg("工作簿的文字过多", "the workbook holds too much text"));
    return status;
  }

  Status ReadStyles() {
    if (!HasPart(styles_part_)) return {};
    std::map<uint64_t, bool> formats;
    bool in_cells = false;
    Handlers handlers;
    handlers.start = [&](std::string_view element, Attributes attributes) {
      if (element == "numFmt") {
        uint64_t id = 0;
        if (ToWhole(Attribute(attributes, "numFmtId"), &id)) {
          formats[id] = IsDateFormat(Attribute(attributes, "formatCode"));
        }
      }
      if (element == "cellXfs") in_cells = true;
      if (element == "xf" && in_cells) {
        uint64_t id = 0;
        ToWhole(Attribute(attributes, "numFmtId"), &id);
        auto own = formats.find(id);
        date_style_.push_back(own != formats.end() ? own->second : IsDateFormat(id));
      }
    };
    handlers.end = [&](std::string_view element) {
      if (element == "cellXfs") in_cells = false;
    };
    handlers.text = [](std::string_view) {};
    return Parse(styles_part_, &handlers, kMaxPartBytes);
  }

  Status StartSheet(const Sheet& sheet) {
    CANBAO_ASSIGN(file_, OpenPart(sheet.part));
    row_ = 0;
    bad_.clear();
    cell_ = {};
    row_cells_.clear();
    sheet_handlers_.doctype = false;
    sheet_handlers_.start = [this](std::string_view element, Attributes a) {
      StartElement(element, a);
    };
    sheet_handlers_.end = [this](std::string_view element) { EndElement(element); };
    sheet_handlers_.text = [this](std::string_view text) {
      if (!cell_.collecting) return;
      if (cell_.text.size() + text.size() > kMaxCellBytes) {
        Bad("cell text");
        return;
      }
      cell_.text += text;
    };
    parser_ = MakeParser(&sheet_handlers_);
    return {};
  }
  void EndSheet() {
    broken_off_.clear();
    row_cells_.clear();
    parser_.reset();
    file_.reset();
  }

  // Parses on; false at the end of the sheet.
  Result<bool> Feed(const Sheet& sheet) {
    buffer_.resize(kReadBytes);
    zip_int64_t n = zip_fread(file_.get(), buffer_.data(), buffer_.size());
    if (n < 0) return Damaged(Text{sheet.part, sheet.part}, static_cast<int64_t>(row_));
    if (XML_Parse(parser_.get(), buffer_.data(), static_cast<int>(n), n == 0) != XML_STATUS_OK) {
      if (!bad_.empty())
        return Damaged(Text{sheet.part + ": " + bad_, sheet.part + ": " + bad_},
                       static_cast<int64_t>(row_));
      return Damaged(XmlError(sheet.part, parser_.get()), static_cast<int64_t>(row_));
    }
    return n > 0;
  }

  void Bad(const char* what) {
    if (bad_.empty()) bad_ = what;
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  struct Cell {
    uint32_t column = 0;
    char type = 'n';  // n number, s shared, t text, b truth, e error, d date
    bool date = false;
    bool collecting = false;
    bool phonetic = false;
    std::string text;
  };

  void StartElement(std::string_view element, Attributes attributes) {
    if (element == "c") {
      StartCell(attributes);
    } else if (element == "row") {
      uint64_t r = 0;
      std::string_view at = Attribute(attributes, "r");
      if (at.empty()) {
        ++row_;
      } else if (ToWhole(at, &r) && r > row_ && r <= kMaxRows) {
        row_ = r;
      } else {
        return Bad("row number");
      }
      row_cells_.clear();
      next_column_ = 0;
    } else if (element == "rPh") {
      cell_.phonetic = true;
    } else if (element == "v" || (element == "t" && !cell_.phonetic)) {
      cell_.collecting = true;
    }
  }

  void StartCell(Attributes attributes) {
    cell_ = {};
    std::string_view at = Attribute(attributes, "r");
    uint32_t column = 0;
    for (char c : at) {
      if (c < 'A' || c > 'Z') break;
      column = column * 26 + static_cast<uint32_t>(c - 'A' + 1);
      if (column > kMaxColumns) return Bad("cell reference");
    }
    cell_.column = column == 0 ? next_column_ : column - 1;
    if (cell_.column < next_column_ || cell_.column >= kMaxColumns) return Bad("cell reference");
    next_column_ = cell_.column + 1;
    std::string_view type = Attribute(attributes, "t");
    cell_.type = type == "s"                            ? 's'
                 : type == "str" || type == "inlineStr" ? 't'
                 : type == "b"                          ? 'b'
                 : type == "e"                          ? 'e'
                 : type == "d"                          ? 'd'
                                                        : 'n';
    uint64_t style = 0;
    if (ToWhole(Attribute(attributes, "s"), &style) && style < date_style_.size()) {
      cell_.date = date_style_[style];
    }
  }

  void EndElement(std::string_view element) {
    if (element == "v" || element == "t") {
      cell_.collecting = false;
    } else if (element == "rPh") {
      cell_.phonetic = false;
    } else if (element == "c") {
      EndCell();
    } else if (element == "row") {
      if (!row_cells_.empty()) {
        chunk_->rows.push_back({row_, static_cast<uint32_t>(chunk_->cells.size()),
                                static_cast<uint32_t>(row_cells_.size())});
        chunk_->cells.insert(chunk_->cells.end(), row_cells_.begin(), row_cells_.end());
      }
      row_cells_.clear();
    }
  }

  void EndCell() {
    std::string_view text;
    if (cell_.type == 's') {
      uint64_t i = 0;
      if (cell_.text.empty()) return;
      if (!ToWhole(cell_.text, &i) || i >= shared_.size()) return Bad("shared string");
      text = std::string_view(shared_text_).substr(shared_[i].first, shared_[i].second);
    } else if (cell_.type == 'n' && !cell_.text.empty()) {
      text = Store(NumberText(cell_.text, cell_.date, date1904_));
    } else if (cell_.type == 'd') {
      text = Store(cell_.text.substr(0, 10));
    } else if (cell_.type != 'e' && !cell_.text.empty()) {
      Unescape(&cell_.text);
      text = Store(cell_.text);
    }
    if (text.empty()) return;
    row_cells_.resize(cell_.column);
    row_cells_.push_back(text);
  }

  // Texts of a chunk lie in blocks that never move.
  std::string_view Store(const std::string& text) {
    auto& blocks = chunk_->storage;
    if (blocks.empty() || blocks.back().capacity() - blocks.back().size() < text.size()) {
      blocks.emplace_back();
      blocks.back().reserve(std::max(kReadBytes, text.size()));
    }
    size_t at = blocks.back().size();
    blocks.back() += text;
    return std::string_view(blocks.back()).substr(at);
  }

  Zip zip_;
  std::string path_;
  std::string shared_part_, styles_part_;
  bool date1904_ = false;
  std::vector<Sheet> sheets_;
  std::string shared_text_;
  std::vector<std::pair<size_t, size_t>> shared_;
  std::vector<bool> date_style_;

  size_t next_sheet_ = 0;
  ZipFile file_;
  Handlers sheet_handlers_;
  Parser parser_;
  std::vector<char> buffer_;
  TableChunk* chunk_ = nullptr;
  uint64_t row_ = 0;
  uint32_t next_column_ = 0;
  std::vector<std::string_view> row_cells_;  // of the open row
  std::vector<std::string> broken_off_;      // its texts between two chunks
  Cell cell_;
  std::string bad_;
};

tl::unexpected<Error> NoWorkbook(const std::string& path, const std::string& why) {
  return Fail(Error{
      ErrorClass::kInput, kErrWorkbook,
      Msg("不是完整的 .xlsx 工作簿：{0}", "no complete .xlsx workbook: {0}", why),
      Msg("请检查文件是否传送完整、是否有密码保护，另存后重新交付",
          "check that it was sent completely and has no password, save it again and deliver that"),
      path, 0, 0});
}

Result<std::unique_ptr<TableSource>> Start(Zip zip, const std::string& path) {
  auto source = std::make_unique<XlsxSource>(std::move(zip), path);
  CANBAO_TRY(source->Init());
  return source;
}

}  // namespace

Result<std::unique_ptr<TableSource>> OpenXlsx(const std::string& path) {
  int code = 0;
  Zip zip(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (zip == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    if (code == ZIP_ER_OPEN || code == ZIP_ER_NOENT || code == ZIP_ER_READ) {
      return Fail(
          Error{ErrorClass::kEnvironment, code == ZIP_ER_READ ? kErrRead : kErrOpen,
                Msg("无法读取文件：{0}", "cannot read the file: {0}", why),
                Msg("请检查文件是否存在、是否有读取权限", "check that it exists and may be read"),
                path, 0, 0});
    }
    return NoWorkbook(path, why);
  }
  return Start(std::move(zip), path);
}

Result<std::unique_ptr<TableSource>> OpenXlsxBytes(std::string_view bytes,
                                                   const std::string& name) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) throw std::bad_alloc();
  Zip zip(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (zip == nullptr) {
    zip_source_free(source);
    std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    return NoWorkbook(name, why);
  }
  zip_error_fini(&error);
  return Start(std::move(zip), name);
}

}  // namespace canbao::extract
