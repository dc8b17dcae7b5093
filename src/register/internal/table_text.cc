#include "register/internal/table_text.h"

#include <charconv>

#include "extract/delivery.h"
#include "extract/row.h"
#include "identity/citizen_number.h"
#include "identity/name.h"
#include "scheme/person.h"
#include "scheme/scheme.h"

namespace canbao::reg {
namespace {

int64_t IntOf(std::optional<std::string_view> v) {
  int64_t n = 0;
  if (v) std::from_chars(v->data(), v->data() + v->size(), n);
  return n;
}

std::string BytesOf(std::optional<std::string_view> v) {
  std::string out;
  if (!v || v->size() < 2) return out;
  auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (size_t i = 2; i + 1 < v->size(); i += 2) {
    out += static_cast<char>(digit((*v)[i]) << 4 | digit((*v)[i + 1]));
  }
  return out;
}

// Shown instead of a field that does not open; `doctor` tells why.
std::string Unreadable() { return Text{"（无法解密）", "(cannot be opened)"}.Get(); }

bool LooksLikeNumber(std::string_view text) {
  size_t digits = 0;
  for (char c : text) digits += c >= '0' && c <= '9';
  return digits >= 11;
}

// "138****1234".
std::string MaskPhone(std::string text) {
  if (text.size() != 11) return identity::MaskNumber(text);
  return text.replace(3, 4, "****");
}

// The place without house and door: the first characters.
std::string MaskAddress(std::string_view text) {
  constexpr size_t kBytes = 18;
  if (text.empty()) return {};
  size_t n = std::min(kBytes, text.size() / 2);
  while (n > 0 && (static_cast<uint8_t>(text[n]) & 0xC0) == 0x80) --n;
  return std::string(text.substr(0, n)) + "****";
}

std::string Shown(const TextContext& x, std::string text) {
  return x.mask && LooksLikeNumber(text) ? identity::MaskNumber(text) : text;
}

TextColumn Make(const char* zh, const char* en, std::vector<std::string> sql,
                std::function<std::string(const TextContext&, const Values&)> text) {
  return {{zh, en}, std::move(sql), std::move(text)};
}

// One column whose value is a number with a label.
TextColumn Labelled(const char* zh, const char* en, const std::string& sql, Text (*label)(int)) {
  return Make(zh, en, {sql}, [label](const TextContext&, const Values& v) {
    return v[0] ? label(static_cast<int>(IntOf(v[0]))).Get() : std::string();
  });
}

// Bits with labels, joined.
std::string JoinBits(uint64_t bits, const std::function<std::string(int)>& label) {
  std::string out;
  for (int i = 0; i < 64; ++i) {
    if ((bits >> i & 1) == 0) continue;
    std::string name = label(i);
    if (name.empty()) continue;
    if (!out.empty()) out += CurrentLang() == Lang::kZh ? "、" : ", ";
    out += name;
  }
  return out;
}

Text KindLabel(int kind) {
  if (kind < 0 || kind >= extract::kKinds) return {};
  auto k = static_cast<extract::Kind>(kind);
  return {std::string(extract::KindNameZh(k)), std::string(extract::KindName(k))};
}

Text StateLabel(int state) {
  auto s = static_cast<scheme::State>(state);
  return {std::string(scheme::StateNameZh(s)), std::string(scheme::StateName(s))};
}

Text EvidenceLabel(int e) {
  static const Text kNames[] = {{"死亡", "death"},
                                {"服刑", "imprisoned"},
                                {"现役", "soldier"},
                                {"随军家属建账", "army dependant"},
                                {"出国（境）", "abroad"},
                                {"全日制在读", "full-time student"},
                                {"非全日制在读", "part-time student"},
                                {"个税", "wage tax"},
                                {"用工备案", "employment filing"},
                                {"居住", "residence"},
                                {"困难人员", "subsidised"},
                                {"社保卡", "card"},
                                {"异地就医备案", "remote medical"},
                                {"编制", "staffing"},
                                {"调查结果", "survey result"},
                                {"审核确认", "confirmation"},
                                {"重复结算", "double settlement"}};
  return e >= 0 && e < static_cast<int>(std::size(kNames)) ? kNames[e] : Text{};
}

}  // namespace

Text ManagementLabel(int m) {
  static const Text kNames[] = {{"管理中", "managed"},
                                {"死亡", "dead"},
                                {"注销", "cancelled"},
                                {"迁出", "moved out"},
                                {"其他", "other"}};
  return m >= 0 && m < 5 ? kNames[m] : Text{};
}

Text FlagLabel(int bit) {
  static const Text kNames[] = {{"本省户籍", "province hukou"},
                                {"本地参保", "enrolled here"},
                                {"省外参保", "enrolled elsewhere"},
                                {"本地就业", "employed here"},
                                {"死亡", "dead"},
                                {"需调查核实", "to verify"},
                                {"已核实", "verified"},
                                {"省外登记", "registered elsewhere"},
                                {"全日制在读", "full-time student"},
                                {"现役", "soldier"},
                                {"随军家属", "army dependant"},
                                {"服刑", "imprisoned"},
                                {"出国（境）", "abroad"},
                                {"户口待注销", "hukou to be cancelled"},
                                {"应停发待遇", "stop benefit"},
                                {"25 岁以上在读", "student of 25 or older"},
                                {"状态矛盾", "contradictory state"},
                                {"状态未对照", "unmapped state"},
                                {"缴费中断", "interrupted"},
                                {"公务员", "civil servant"},
                                {"近三月有个税", "taxed recently"},
                                {"近三月有用工备案", "filed recently"},
                                {"调查省外参保", "survey: insured elsewhere"},
                                {"达到退休年龄", "at retirement age"}};
  return bit >= 0 && bit < static_cast<int>(std::size(kNames)) ? kNames[bit] : Text{};
}

Result<TextContext> TextContext::Load(Connection& c, const FieldCipher& cipher, bool mask) {
  CANBAO_ASSIGN(TextContext x, LoadNames(c));
  x.cipher = &cipher;
  x.mask = mask;
  return x;
}

Result<TextContext> TextContext::LoadNames(Connection& c) {
  TextContext x;
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT extract_id, file, source FROM canbao.extract"));
  for (int i = 0; i < rows.size(); ++i) {
    x.extracts[rows.Int(i, 0)] = {std::string(rows.Text(i, 1)), std::string(rows.Text(i, 2))};
  }
  return x;
}

std::string SelectList(const std::vector<TextColumn>& columns) {
  std::string out;
  for (const TextColumn& c : columns) {
    for (const std::string& sql : c.sql) out += (out.empty() ? "" : ", ") + sql;
  }
  return out;
}

std::vector<std::string> TextRow(const TextContext& context, const std::vector<TextColumn>& columns,
                                 const Rows& rows, int i) {
  std::vector<std::string> out;
  int at = 0;
  Values values;
  for (const TextColumn& c : columns) {
    values.clear();
    for (size_t k = 0; k < c.sql.size(); ++k, ++at) {
      values.push_back(rows.IsNull(i, at) ? std::nullopt
                                          : std::optional<std::string_view>(rows.Text(i, at)));
    }
    out.push_back(c.text(context, values));
  }
  return out;
}

namespace col {

TextColumn Plain(const char* zh, const char* en, const std::string& sql) {
  return Make(zh, en, {sql},
              [](const TextContext&, const Values& v) { return std::string(v[0].value_or("")); });
}

TextColumn DayOf(const char* zh, const char* en, const std::string& sql) {
  return Make(zh, en, {sql}, [](const TextContext&, const Values& v) {
    return v[0] && *v[0] != "infinity" ? std::string(*v[0]) : std::string();
  });
}

TextColumn YesNo(const char* zh, const char* en, const std::string& sql) {
  return Make(zh, en, {sql}, [](const TextContext&, const Values& v) {
    return (v[0] == "t" ? Text{"是", "yes"} : Text{"否", "no"}).Get();
  });
}

TextColumn Number(const std::string& number, const std::string& document) {
  return Make("证件号码", "number", {number, document}, [](const TextContext& x, const Values& v) {
    std::string text;
    if (v[1]) {
      auto opened = x.cipher->OpenText(BytesOf(v[1]));
      if (!opened) return Unreadable();
      text = *opened;
    } else if (v[0]) {
      auto opened = x.cipher->OpenNumber(BytesOf(v[0]));
      if (!opened) return Unreadable();
      text = identity::ToText({*opened});
    }
    return x.mask && !text.empty() ? identity::MaskNumber(text) : text;
  });
}

TextColumn Phone(const std::string& sql) {
  return Make("联系电话", "phone", {sql}, [](const TextContext& x, const Values& v) {
    if (!v[0]) return std::string();
    auto opened = x.cipher->OpenPhone(BytesOf(v[0]));
    if (!opened) return Unreadable();
    if (x.screen) return MaskPhone(*opened);
    return x.mask ? identity::MaskNumber(*opened) : *opened;
  });
}

TextColumn Name(const std::string& sql) {
  return Make("姓名", "name", {sql}, [](const TextContext& x, const Values& v) {
    return x.screen ? identity::MaskName(v[0].value_or("")) : std::string(v[0].value_or(""));
  });
}

TextColumn Address(const std::string& sql) {
  return Make("地址", "address", {sql}, [](const TextContext& x, const Values& v) {
    return x.screen ? MaskAddress(v[0].value_or("")) : std::string(v[0].value_or(""));
  });
}

TextColumn Sealed(const char* zh, const char* en, const std::string& sql, bool is_number) {
  return Make(zh, en, {sql}, [is_number](const TextContext& x, const Values& v) {
    auto opened = x.cipher->OpenText(BytesOf(v[0]));
    if (!opened) return Unreadable();
    if (x.mask && is_number && !opened->empty()) return identity::MaskNumber(*opened);
    // A whole record: masked as a whole, since it may hold a number anywhere.
    if (x.mask && !is_number && !opened->empty()) return std::string("********");
    return *opened;
  });
}

TextColumn Value(const char* zh, const char* en, const std::string& field, const std::string& clear,
                 const std::string& sealed) {
  return Make(zh, en, {field, clear, sealed}, [](const TextContext& x, const Values& v) {
    if (v[2]) {
      auto opened = x.cipher->OpenText(BytesOf(v[2]));
      if (!opened) return Unreadable();
      if (x.screen) return v[0] == "phone" ? MaskPhone(*opened) : identity::MaskNumber(*opened);
      return Shown(x, *opened);
    }
    std::string text(v[1].value_or(""));
    if (x.screen && v[0] && v[0]->find("name") != std::string_view::npos) {
      return identity::MaskName(text);
    }
    if (x.screen && v[0] && v[0]->find("address") != std::string_view::npos) {
      return MaskAddress(text);
    }
    return Shown(x, text);
  });
}

TextColumn Sex(const std::string& sql) {
  return Make("性别", "sex", {sql}, [](const TextContext&, const Values& v) {
    int64_t s = IntOf(v[0]);
    return s == 1 ? Text{"男", "male"}.Get() : s == 2 ? Text{"女", "female"}.Get() : std::string();
  });
}

TextColumn File(const std::string& ref) {
  return Make("来源文件", "file", {ref}, [](const TextContext& x, const Values& v) {
    auto e = x.extracts.find(IntOf(v[0]) >> 40);
    return e == x.extracts.end() ? std::string() : e->second.file;
  });
}

TextColumn Source(const std::string& ref) {
  return Make("数据源", "source", {ref}, [](const TextContext& x, const Values& v) {
    auto e = x.extracts.find(IntOf(v[0]) >> 40);
    return e == x.extracts.end() ? std::string() : e->second.source;
  });
}

TextColumn Line(const std::string& ref) {
  return Make("行", "line", {ref}, [](const TextContext&, const Values& v) {
    int64_t r = IntOf(v[0]);
    if (r == 0) return std::string();
    int64_t sheet = r >> 32 & 0xFF, line = r & 0xFFFFFFFF;
    return sheet == 0 ? std::to_string(line) : fmt::format("{}!{}", sheet, line);
  });
}

TextColumn Outcome(const std::string& sql) {
  return Labelled("比对结果", "outcome", sql, OutcomeLabel);
}

TextColumn State(const char* zh, const char* en, const std::string& sql) {
  return Labelled(zh, en, sql, StateLabel);
}

TextColumn Uncovered(const std::string& sql) {
  return Make("应参未参险种", "uncovered", {sql}, [](const TextContext&, const Values& v) {
    return JoinBits(static_cast<uint64_t>(IntOf(v[0])), [](int i) {
      auto b = static_cast<scheme::Branch>(i);
      return i < scheme::kBranches
                 ? Text{std::string(scheme::BranchNameZh(b)), std::string(scheme::BranchName(b))}
                       .Get()
                 : std::string();
    });
  });
}

TextColumn Duplicates(const std::string& sql) {
  return Make("重复类型", "duplicate", {sql}, [](const TextContext&, const Values& v) {
    return JoinBits(static_cast<uint64_t>(IntOf(v[0])),
                    [](int i) { return DuplicateLabel(1 << i).Get(); });
  });
}

TextColumn Discrepancy(const std::string& sql) {
  return Labelled("错误类型", "discrepancy", sql, DiscrepancyLabel);
}

TextColumn Reject(const std::string& sql) {
  return Labelled("拒收原因", "reason", sql, RejectLabel);
}

TextColumn Kind(const std::string& sql) { return Labelled("数据类别", "kind", sql, KindLabel); }

TextColumn Evidence(const std::string& sql) {
  return Labelled("依据", "evidence", sql, EvidenceLabel);
}

TextColumn Management(const std::string& sql) {
  return Labelled("管理状态", "management", sql, ManagementLabel);
}

TextColumn Flags(const std::string& sql) {
  return Make("分类", "classification", {sql}, [](const TextContext&, const Values& v) {
    return JoinBits(static_cast<uint64_t>(IntOf(v[0])), [](int i) { return FlagLabel(i).Get(); });
  });
}

TextColumn FormColumn(const std::string& sql) {
  return Make("表2-2栏", "form_2_2", {sql}, [](const TextContext&, const Values& v) {
    int64_t n = IntOf(v[0]);
    if (n == scheme::kNoColumn) return std::string();
    if (n == scheme::kNotYetVerified) return Text{"尚未核实", "not yet verified"}.Get();
    return std::to_string(n);
  });
}

}  // namespace col

Text OutcomeLabel(int outcome) {
  static const Text kNames[] = {{},
                                {"基线", "baseline"},
                                {"一致", "exact"},
                                {"姓名近似", "name_variant"},
                                {"号码修复", "repaired"},
                                {"疑似同人", "probable"},
                                {"一号多人冲突", "conflict"},
                                {"未关联", "unlinked"},
                                {"已被更新", "superseded"}};
  return outcome > 0 && outcome < static_cast<int>(std::size(kNames)) ? kNames[outcome] : Text{};
}

Text DiscrepancyLabel(int kind) {
  static const Text kNames[] = {{},
                                {"号码已清洗", "number_cleaned"},
                                {"15 位号码升位", "number_upgraded"},
                                {"号码已修复", "number_repaired"},
                                {"姓名近似", "name_variant"},
                                {"姓名变更", "name_changed"},
                                {"出生日期不符", "birth_differs"},
                                {"性别不符", "sex_differs"},
                                {"出生日期无效", "birth_dropped"},
                                {"日期无效", "date_dropped"},
                                {"一号多人", "conflict"},
                                {"一人多号", "several_person_numbers"},
                                {"死亡仍参保", "stop_benefit"},
                                {"参保状态矛盾", "state_contradiction"},
                                {"状态未对照", "unmapped_state"},
                                {"25 岁以上在读", "student_25"},
                                {"号码与出生日期矛盾", "number_contradicts_birth"},
                                {"户籍重复", "register_duplicate"},
                                {"号码无法识别", "number_unreadable"},
                                {"曾用身份", "former_identity"}};
  return kind > 0 && kind < static_cast<int>(std::size(kNames)) ? kNames[kind] : Text{};
}

Text DuplicateLabel(int bit) {
  if (bit >= 1 << scheme::kConsolidatedShift) {
    Text of = DuplicateLabel(bit >> scheme::kConsolidatedShift);
    if (of.zh.empty()) return of;
    return {of.zh + "（已整合）", of.en + "_consolidated"};
  }
  switch (bit) {
    case scheme::kPensionCrossScheme:
      return {"养老跨制度重复参保", "pension_cross_scheme"};
    case scheme::kPensionCrossRegion:
      return {"养老跨地区重复参保", "pension_cross_region"};
    case scheme::kPensionBenefitCrossScheme:
      return {"养老跨制度重复享受待遇", "pension_benefit_cross_scheme"};
    case scheme::kPensionBenefitCrossRegion:
      return {"养老跨地区重复享受待遇", "pension_benefit_cross_region"};
    case scheme::kMedicalCrossScheme:
      return {"医疗跨制度重复参保", "medical_cross_scheme"};
    case scheme::kMedicalCrossRegion:
      return {"医疗跨地区重复参保", "medical_cross_region"};
    case scheme::kMedicalBenefitCrossScheme:
      return {"医疗跨制度重复享受待遇", "medical_benefit_cross_scheme"};
    default:
      return {};
  }
}

Text RejectLabel(int reason) {
  static const char* const kZh[] = {"",         "字段过少", "字段过多",     "缺少必填值",
                                    "险种未知", "日期无效", "行政区划未知", "代码无法识别",
                                    "编码错误", "内容过长"};
  if (reason <= 0 || reason >= static_cast<int>(std::size(kZh))) return {};
  return {kZh[reason],
          std::string(extract::RejectCode(static_cast<extract::RejectReason>(reason)))};
}

}  // namespace canbao::reg
