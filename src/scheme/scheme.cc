#include "scheme/scheme.h"

#include <array>

namespace canbao::scheme {
namespace {

struct Entry {
  SchemeStanding standing = SchemeStanding::kUnknown;
  Branch branch = Branch::kNone;
  bool employee = false;
  bool resident = false;
};

// Indexed by the code itself: a look-up is one load.
constexpr SchemeCode kLastCode = 510;
using Table = std::array<Entry, kLastCode + 1>;

constexpr Table MakeTable() {
  Table table{};
  auto counted = [&](SchemeCode code, Branch branch, bool employee) {
    table[code] = Entry{SchemeStanding::kCounted, branch, employee, !employee};
  };
  counted(110, Branch::kPension, true);
  counted(120, Branch::kPension, true);
  counted(170, Branch::kPension, false);
  counted(210, Branch::kUnemployment, true);
  counted(310, Branch::kMedical, true);
  counted(380, Branch::kMedical, false);
  counted(390, Branch::kMedical, false);
  counted(391, Branch::kMedical, false);
  counted(410, Branch::kWorkInjury, true);
  counted(510, Branch::kMaternity, true);
  for (SchemeCode code : {340, 350, 360}) {  // 离休, 伤残军人, 老红军
    table[code] = Entry{SchemeStanding::kMedicalCover, Branch::kMedical, false, false};
  }
  for (SchemeCode code : {180, 320, 330, 370, 392}) {
    table[code] = Entry{SchemeStanding::kNotCounted, Branch::kNone, false, false};
  }
  return table;
}

constexpr Table kTable = MakeTable();
constexpr Entry kUnknownEntry{};

constexpr const Entry& EntryOf(SchemeCode scheme) {
  return scheme <= kLastCode ? kTable[scheme] : kUnknownEntry;
}

}  // namespace

SchemeStanding StandingOf(SchemeCode scheme) { return EntryOf(scheme).standing; }
Branch BranchOf(SchemeCode scheme) { return EntryOf(scheme).branch; }
bool IsEmployeeScheme(SchemeCode scheme) { return EntryOf(scheme).employee; }
bool IsResidentScheme(SchemeCode scheme) { return EntryOf(scheme).resident; }

std::string_view StateName(State s) {
  switch (s) {
    case State::kNotEnrolled:
      return "not_enrolled";
    case State::kContributing:
      return "contributing";
    case State::kInterrupted:
      return "interrupted";
    case State::kTerminated:
      return "terminated";
    case State::kReceiving:
      return "receiving";
    case State::kBenefitSuspended:
      return "benefit_suspended";
    case State::kUnmapped:
      return "unmapped";
  }
  return "unmapped";
}

std::string_view StateNameZh(State s) {
  switch (s) {
    case State::kNotEnrolled:
      return "未参保";
    case State::kContributing:
      return "参保缴费";
    case State::kInterrupted:
      return "暂停缴费";
    case State::kTerminated:
      return "终止";
    case State::kReceiving:
      return "待遇享受";
    case State::kBenefitSuspended:
      return "待遇暂停";
    case State::kUnmapped:
      return "未映射";
  }
  return "未映射";
}

std::string_view BranchName(Branch b) {
  switch (b) {
    case Branch::kPension:
      return "pension";
    case Branch::kMedical:
      return "medical";
    case Branch::kWorkInjury:
      return "work_injury";
    case Branch::kUnemployment:
      return "unemployment";
    case Branch::kMaternity:
      return "maternity";
    case Branch::kNone:
      return "none";
  }
  return "none";
}

std::string_view BranchNameZh(Branch b) {
  switch (b) {
    case Branch::kPension:
      return "养老";
    case Branch::kMedical:
      return "医疗";
    case Branch::kWorkInjury:
      return "工伤";
    case Branch::kUnemployment:
      return "失业";
    case Branch::kMaternity:
      return "生育";
    case Branch::kNone:
      return "无";
  }
  return "无";
}

}  // namespace canbao::scheme
