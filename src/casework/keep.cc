#include "casework/keep.h"

#include <algorithm>

#include "scheme/scheme.h"

namespace canbao::casework {
namespace {

// What a criterion says of a relation: more is better.
int64_t ValueOf(Criterion criterion, const Relation& r, uint64_t residence, Date cutoff) {
  const bool employee = scheme::IsEmployeeScheme(static_cast<scheme::SchemeCode>(r.scheme));
  const bool contributing = r.state == static_cast<int>(scheme::State::kContributing);
  switch (criterion) {
    case Criterion::kEmployee:
      return employee;
    case Criterion::kEmployeeYear:
      return employee && r.enrolled_on.has_value() &&
             cutoff.month_index() - r.enrolled_on.month_index() >= 12;
    case Criterion::kEmployed:
      return employee && contributing && r.employed;
    case Criterion::kResidence: {
      const auto county = static_cast<uint32_t>(residence / 1000000);
      if (county == 0) return 0;
      return r.region == county ? 2 : r.region / 100 == county / 100 ? 1 : 0;
    }
    case Criterion::kLongest:
      return r.enrolled_on.has_value() ? -int64_t{r.enrolled_on.v} : INT32_MIN;
    case Criterion::kLatest:
      return r.enrolled_on.v;
  }
  return 0;
}

}  // namespace

int ProposeKeep(const KeepRule& rule, const std::vector<Relation>& relations, uint64_t residence,
                Date cutoff) {
  if (relations.size() < 2) return -1;
  std::vector<int> left;
  for (size_t i = 0; i < relations.size(); ++i) left.push_back(static_cast<int>(i));
  for (Criterion criterion : rule.criteria) {
    int64_t best = INT64_MIN;
    std::vector<int> next;
    for (int i : left) {
      const int64_t value =
          ValueOf(criterion, relations[static_cast<size_t>(i)], residence, cutoff);
      if (value > best) next.clear();
      best = std::max(best, value);
      if (value == best) next.push_back(i);
    }
    left = std::move(next);
    if (left.size() == 1) return left.front();
  }
  return -1;
}

}  // namespace canbao::casework
