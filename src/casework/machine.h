// A step against a case: what it changes, or why it is refused. Pure: the same case, actor, step
// and day give the same answer; the store writes it down.
//
// Refusals, by code: 0004 not from this state · 0005 not this person's to do · 0006 something is
// missing · 0007 waits for a second person · 0008 whoever proposed may not approve · 0009 nothing
// waits · 0010 no permission to approve · 0011 no such relation · 0016 the finding is gone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/date.h"
#include "casework/policy.h"

namespace canbao::casework {

struct Party {
  uint32_t region = 0;
  bool outside = false;  // another province
  bool mine = false;     // the actor acts for it
  bool agreed = false;
};

struct CaseFacts {
  CaseKind kind = CaseKind::kDuplicate;
  State state = kFound;  // as people left it
  State shown = kFound;  // with what the data say
  bool gone = false;     // the finding is not there any more
  bool pays_benefits = false;
  bool mine_as_source = false;  // the actor acts for the source
  std::vector<Party> parties;
  std::string pending_action;
  std::string pending_by;
  int relations = 0;       // how many; keep is one of them
  int proposed_keep = -1;  // by the rule
};

struct Actor {
  std::string account;
  bool may_approve = false;
};

struct Intent {
  std::string action;
  std::string note;
  std::string reason;
  std::optional<int> keep;
  std::optional<std::string> assignee;
  Date due;
};

struct Effect {
  std::string action;          // whose label the event carries
  std::optional<State> state;  // a new one
  std::optional<Date> due;     // set; missing inside = cleared
  std::optional<std::string> assignee;
  std::optional<int> keep;
  std::vector<uint32_t> agrees;  // regions that agree by this step
  bool clears_agreements = false;
  bool sets_pending = false;
  bool clears_pending = false;
  bool closes = false;  // by the actor, or by who proposed it where a second one approved
  std::string closed_by;
  std::string approved_by;
  std::string note;  // reason before note
};

Result<Effect> Decide(const Policy& policy, const CaseFacts& facts, const Actor& actor,
                      const Intent& intent, Date today);

struct Offer {
  std::string action;
  Text label;
  std::vector<std::string> needs;
};
// What the actor may do now, in the policy's order.
std::vector<Offer> Offers(const Policy& policy, const CaseFacts& facts, const Actor& actor);

Text ActionLabel(const Policy& policy, CaseKind kind, std::string_view action);

}  // namespace canbao::casework
