#include "extract/row.h"

#include "extract/delivery.h"

namespace canbao::extract {
namespace {

struct KindNames {
  std::string_view name;
  std::string_view zh;
};

// In the order of Kind.
constexpr KindNames kKindNames[kKinds] = {
    {"household_register", "户籍"},
    {"residence_permit", "居住证"},
    {"enrolment", "参保"},
    {"employer", "单位"},
    {"student", "学籍"},
    {"death", "死亡"},
    {"prisoner", "服刑"},
    {"military", "军队"},
    {"abroad", "出国（境）"},
    {"wage_tax", "个税"},
    {"subsidised", "困难人员"},
    {"card", "社保卡"},
    {"remote_medical", "异地就医备案"},
    {"national_reply", "部级比对返回"},
    {"resident_population", "常住人口"},
    {"employment_filing", "用工备案"},
    {"staffing", "编制"},
    {"birth", "出生医学证明"},
    {"medical_settlement", "医疗结算"},
    {"national_request", "部级比对请求"},
};

}  // namespace

std::string_view KindName(Kind kind) { return kKindNames[static_cast<size_t>(kind)].name; }
std::string_view KindNameZh(Kind kind) { return kKindNames[static_cast<size_t>(kind)].zh; }

Kind KindFromName(std::string_view name, bool* ok) {
  for (int i = 0; i < kKinds; ++i) {
    if (kKindNames[i].name == name) {
      *ok = true;
      return static_cast<Kind>(i);
    }
  }
  *ok = false;
  return Kind::kEnrolment;
}

std::string_view StageName(Stage stage) {
  switch (stage) {
    case Stage::kInternal:
      return "internal";
    case Stage::kCrossDepartment:
      return "cross_department";
    case Stage::kCrossCity:
      return "cross_city";
    case Stage::kCrossProvince:
      return "cross_province";
  }
  return {};
}

std::string_view RejectCode(RejectReason reason) {
  switch (reason) {
    case RejectReason::kTooFewFields:
      return "row_too_few";
    case RejectReason::kTooManyFields:
      return "row_too_many";
    case RejectReason::kRequiredMissing:
      return "row_required_missing";
    case RejectReason::kSchemeUnknown:
      return "scheme_unknown";
    case RejectReason::kDateImpossible:
      return "date_impossible";
    case RejectReason::kRegionUnknown:
      return "region_unknown";
    case RejectReason::kValueUnreadable:
      return "value_unreadable";
    case RejectReason::kEncodingInvalid:
      return "encoding_invalid";
    case RejectReason::kTooLong:
      return "value_too_long";
  }
  return {};
}

}  // namespace canbao::extract
