#include "register/internal/encoder.h"

#include <cstring>

#include "register/internal/clean_text.h"

namespace canbao::reg {
namespace {

// 1880-01-01 is day 1 of a Date and lies this many days before 2000-01-01.
constexpr int32_t kDaysFrom1880To2000 = 43829;

// The fields whose values tell who somebody is: kept sealed wherever they stand.
bool IsIdentityField(std::string_view field) {
  return field == "id_number" || field == "phone" || field == "number" ||
         field == "former_id_number" || field == "former_number" || field == "document";
}

// A citizen number may stand in any field's value (a conflict names the number of the other
// person).
bool HoldsNumber(std::string_view value) {
  int run = 0;
  for (char ch : value) {
    run = ch >= '0' && ch <= '9' ? run + 1 : 0;
    if (run >= 14) return true;
  }
  return false;
}

size_t Width(ColumnType type) {
  switch (type) {
    case ColumnType::kU8:
      return 1;
    case ColumnType::kU16:
    case ColumnType::kDate:
      return 2;
    case ColumnType::kU32:
      return 4;
    case ColumnType::kU64:
      return 8;
    case ColumnType::kText:
      return 0;
  }
  return 0;
}

void PutOrNull(CopyBuffer& b, std::string_view text) {
  if (text.empty()) {
    b.Null();
  } else {
    b.Bytes(text);
  }
}

bool IsFixed(uint8_t width) { return width != kText && width != kClearText; }

int Find(const RowSchema& schema, std::string_view name) {
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

int32_t PgDays(Date date) {
  if (date == Date::Last()) return CopyBuffer::kInfinity;
  return static_cast<int32_t>(date.v) - 1 - kDaysFrom1880To2000;
}

Result<Encoder> Encoder::For(const TableLayout& layout, const RowSchema& schema,
                             const std::string& path, const EncoderContext* context) {
  Encoder e;
  e.context_ = context;
  e.path_ = path;
  e.cells_.resize(schema.columns.size());
  e.runs_.emplace_back();
  for (uint32_t i = 0; i < schema.columns.size(); ++i) {
    Run& run = e.runs_.back();
    size_t width = Width(schema.columns[i].type);
    if (width == 0) {
      run.text = static_cast<int>(i);
      e.runs_.emplace_back();
    } else {
      run.fixed.push_back({i, static_cast<uint32_t>(run.bytes), ~0ull >> (64 - 8 * width)});
      run.bytes += width;
    }
  }
  auto need = [&](const char* name) -> Result<int> {
    int i = Find(schema, name);
    if (i < 0) {
      return Fail(Error{ErrorClass::kInternal,
                        "CB-REGISTER-0505",
                        Msg("结果文件缺少列 {0}。", "the outcome file has no column {0}.", name),
                        {},
                        path,
                        0,
                        0});
    }
    return i;
  };
  CANBAO_ASSIGN(e.bucket_cell_, need(layout.bucket_of));
  e.bucket_by_line_ = std::strcmp(layout.bucket_of, "row_ref") == 0;
  e.ref_cell_ = Find(schema, "row_ref");
  e.field_cell_ = Find(schema, "field");
  for (const LayoutColumn& c : layout.columns) {
    if (c.form != Form::kEmployer) continue;
    static constexpr const char* kParts[] = {"employer_no", "employer_name", "uscc"};
    for (size_t i = 0; i < 3; ++i) {
      CANBAO_ASSIGN(e.employer_cells_[i], need(kParts[i]));
    }
  }
  for (const LayoutColumn& c : layout.columns) {
    if (c.form == Form::kBucket || c.form == Form::kCutoff || c.form == Form::kValidFrom ||
        c.form == Form::kValidTo) {
      continue;  // the same in all rows of a leaf: its defaults
    }
    auto cell_of = [&](const char* from, unsigned traits) -> Result<int> {
      if (from[0] == '\0' || ((traits & kOptional) != 0 && Find(schema, from) < 0)) return -1;
      return need(from);
    };
    CANBAO_ASSIGN(int cell, cell_of(c.from, c.traits));
    Step step{c.form, cell, (c.traits & kZeroIsNull) != 0, {}};
    for (const Fact& fact : c.facts) {
      CANBAO_ASSIGN(int part, cell_of(fact.from, fact.traits));
      step.facts.push_back({part, fact.width});
    }
    e.steps_.push_back(std::move(step));
  }
  return e;
}

Result<int64_t> Encoder::Ref(uint64_t row_ref) const {
  if (row_ref == 0) return 0;
  uint64_t ordinal = row_ref >> 48, line = row_ref & 0xFFFFFFFFFFull;
  if (ordinal >= context_->extracts.size() || context_->extracts[ordinal].id == 0 ||
      line > 0xFFFFFFFFull) {
    return Fail(Error{ErrorClass::kInternal,
                      "CB-REGISTER-0506",
                      Msg("结果文件的行引用无效：文件序号 {0}，行 {1}。",
                          "the outcome file refers to extract {0}, line {1}, which is not listed.",
                          ordinal, line),
                      {},
                      path_,
                      0,
                      0});
  }
  return static_cast<int64_t>(static_cast<uint64_t>(context_->extracts[ordinal].id) << 40 |
                              (row_ref >> 40 & 0xFF) << 32 | line);
}

const Encoder::Cell Encoder::kNone;

// One row into the cells; its end, or nullptr when the block ends inside of it.
const char* Encoder::ReadRow(const char* p, const char* end) {
  constexpr size_t kWord = 8;  // columns are read as whole words and masked
  std::array<char, 512> copy;
  for (const Run& run : runs_) {
    if (static_cast<size_t>(end - p) < run.bytes) return nullptr;
    const char* from = p;
    if (static_cast<size_t>(end - p) < run.bytes + kWord) {
      if (run.bytes + kWord > copy.size()) return nullptr;
      std::memcpy(copy.data(), p, run.bytes);
      from = copy.data();
    }
    for (const FixedCell& c : run.fixed) {
      uint64_t word;
      std::memcpy(&word, from + c.offset, kWord);
      cells_[c.cell].v = word & c.mask;
    }
    p += run.bytes;
    if (run.text < 0) continue;
    uint16_t n;
    if (end - p < 2) return nullptr;
    std::memcpy(&n, p, 2);
    p += 2;
    if (end - p < n) return nullptr;
    Cell& text = cells_[static_cast<size_t>(run.text)];
    text.s = {p, n};
    text.v = n;
    p += n;
  }
  return p;
}

Status Encoder::Add(std::string_view block) {
  const char* end = block.data() + block.size();
  for (const char* p = block.data(); p < end;) {
    p = ReadRow(p, end);
    if (p == nullptr) {
      return Fail(Error{ErrorClass::kInternal,
                        "CB-REGISTER-0509",
                        Msg("结果文件的行与其列定义不符。",
                            "a row of the outcome file does not fit its columns."),
                        {},
                        path_,
                        0,
                        0});
    }
    CANBAO_TRY(Row());
  }
  return {};
}

Status Encoder::Row() {
  uint64_t by = cells_[static_cast<size_t>(bucket_cell_)].v;
  int bucket = static_cast<int>((bucket_by_line_ ? by & 0xFFFFFFFFFFull : by) % kBuckets);
  Out& out = out_[static_cast<size_t>(bucket)];
  CopyBuffer& b = out.buffer;
  ++out.rows;
  b.Row(static_cast<int16_t>(steps_.size()));
  for (const Step& step : steps_) {
    const Cell& c = step.cell < 0 ? kNone : cells_[static_cast<size_t>(step.cell)];
    if (step.zero_is_null && c.v == 0) {
      b.Null();
      continue;
    }
    switch (step.form) {
      case Form::kBucket:
      case Form::kCutoff:
      case Form::kValidFrom:
      case Form::kValidTo:
        break;
      case Form::kInt2:
        b.Int2(static_cast<int16_t>(c.v));
        break;
      case Form::kInt4:
        b.Int4(static_cast<int32_t>(c.v));
        break;
      case Form::kInt8:
        b.Int8(static_cast<int64_t>(c.v));
        break;
      case Form::kBool:
        b.Bool(c.v != 0);
        break;
      case Form::kDate:
        b.DateDays(PgDays(Date{static_cast<uint16_t>(c.v)}));
        break;
      case Form::kText:
        PutText(b, c.s);
        break;
      case Form::kRef: {
        CANBAO_ASSIGN(int64_t ref, Ref(c.v));
        b.Int8(ref);
        break;
      }
      case Form::kEmployer:
        CANBAO_TRY(Employer(b));
        break;
      case Form::kNumber: {
        size_t at = b.Reserve(FieldCipher::kBlock);
        FieldCipher::NumberBlock(c.v, reinterpret_cast<uint8_t*>(b.data() + at));
        out.blocks.push_back(at);
        break;
      }
      case Form::kPhone: {
        uint8_t block[FieldCipher::kBlock];
        if (FieldCipher::PhoneBlock(c.s, block)) {
          size_t at = b.Reserve(FieldCipher::kBlock);
          std::memcpy(b.data() + at, block, sizeof(block));
          out.blocks.push_back(at);
        } else {
          b.Bytes(context_->cipher->SealText(c.s));
        }
        break;
      }
      case Form::kSealedText:
        b.Bytes(context_->cipher->SealText(c.s));
        break;
      case Form::kSealedValue:
        if (IsSealed(c)) {
          b.Bytes(context_->cipher->SealText(c.s));
        } else {
          b.Null();
        }
        break;
      case Form::kRegion: {
        uint64_t region = c.v;
        if (region == 0 && ref_cell_ >= 0) {
          uint64_t ordinal = cells_[static_cast<size_t>(ref_cell_)].v >> 48;
          if (ordinal < context_->extracts.size()) region = context_->extracts[ordinal].region;
        }
        b.Int4(static_cast<int32_t>(region != 0 ? region : context_->province));
        break;
      }
      case Form::kFacts:
        Facts(b, step.facts);
        break;
      case Form::kNameKey:
        PutOrNull(b, SearchOf(c.s).key);
        break;
      case Form::kPinyin:
        PutOrNull(b, SearchOf(c.s).pinyin);
        break;
      case Form::kInitials:
        PutOrNull(b, SearchOf(c.s).initials);
        break;
    }
  }
  return {};
}

// Names repeat: one in a few is found where the last with its hash was put.
const SearchName& Encoder::SearchOf(std::string_view name) {
  SearchName& recent = recent_names_[std::hash<std::string_view>()(name) % recent_names_.size()];
  if (recent.name != name || name.empty()) recent = SearchNameOf(name);
  return recent;
}

void Encoder::Facts(CopyBuffer& b, const std::vector<FactCell>& facts) {
  size_t at = b.Open();
  for (size_t i = 0; i < facts.size();) {
    // What has a fixed width lies before the texts, and is written with one check for room.
    char* p = b.Spare(4 * facts.size());
    const char* start = p;
    for (; i < facts.size() && IsFixed(facts[i].width); ++i) {
      uint64_t v = facts[i].cell < 0 ? 0 : cells_[static_cast<size_t>(facts[i].cell)].v;
      uint32_t big_endian =
          __builtin_bswap32(static_cast<uint32_t>(v) << (32 - 8 * facts[i].width));
      std::memcpy(p, &big_endian, 4);
      p += facts[i].width;
    }
    b.Used(static_cast<size_t>(p - start));
    if (i == facts.size()) break;
    const Cell& c = facts[i].cell < 0 ? kNone : cells_[static_cast<size_t>(facts[i].cell)];
    PutShortText(b, facts[i].width == kClearText && IsSealed(c) ? std::string_view() : c.s);
    ++i;
  }
  b.Close(at);
}

bool Encoder::IsSealed(const Cell& c) const {
  return (field_cell_ >= 0 && IsIdentityField(cells_[static_cast<size_t>(field_cell_)].s)) ||
         HoldsNumber(c.s);
}

Status Encoder::Employer(CopyBuffer& b) {
  std::string_view part[3];
  for (size_t i = 0; i < 3; ++i) part[i] = cells_[static_cast<size_t>(employer_cells_[i])].s;
  uint64_t key = EmployerKey(part[0], part[1], part[2]);
  if (key == 0) {
    b.Null();
    return {};
  }
  b.Int8(static_cast<int64_t>(key));
  // Most rows name an employer that was just named: no lock for them.
  uint64_t& recent = recent_employers_[key % recent_employers_.size()];
  if (recent == key) return {};
  recent = key;
  return context_->employers->Add(key, part[0], part[1], part[2]);
}

void Encoder::Seal(int bucket) {
  Out& out = out_[static_cast<size_t>(bucket)];
  if (out.blocks.empty()) return;
  constexpr size_t kBlock = FieldCipher::kBlock;
  scratch_.resize(out.blocks.size() * kBlock);
  char* base = out.buffer.data();
  for (size_t i = 0; i < out.blocks.size(); ++i) {
    std::memcpy(scratch_.data() + i * kBlock, base + out.blocks[i], kBlock);
  }
  context_->cipher->SealBlocks(scratch_.data(), out.blocks.size());
  for (size_t i = 0; i < out.blocks.size(); ++i) {
    std::memcpy(base + out.blocks[i], scratch_.data() + i * kBlock, kBlock);
  }
  out.blocks.clear();
}

}  // namespace canbao::reg
