#include "casework/machine.h"

#include <algorithm>

namespace canbao::casework {
namespace {

tl::unexpected<Error> Refusal(const char* code, Text message, Text remedy = {}) {
  return Fail(ErrorClass::kInput, code, std::move(message), std::move(remedy));
}

// Words of the policy inside of a sentence, each in its language.
template <typename... T>
Text Both(const char* zh, const char* en, const T&... words) {
  return Text{fmt::format(fmt::runtime(zh), words.zh...),
              fmt::format(fmt::runtime(en), words.en...)};
}

Text LabelOf(const Policy& policy, State state) {
  const StateInfo* s = policy.FindState(state);
  return s == nullptr ? Text{} : s->label;
}

bool IsMine(const StepInfo& step, const CaseFacts& facts) {
  switch (step.who) {
    case Who::kAnyone:
      return true;
    case Who::kParty:
      // A case whose parties all lie elsewhere, or none, is everybody's who sees it.
      return facts.parties.empty() || std::any_of(facts.parties.begin(), facts.parties.end(),
                                                  [](const Party& p) { return p.mine; });
    case Who::kSource:
      return facts.mine_as_source;
  }
  return false;
}

// Whether the step can be taken, apart from what it needs to be told.
Status Allowed(const Policy& policy, const StepInfo& step, const CaseFacts& facts) {
  if (!IsMine(step, facts)) {
    return Refusal("CB-CASEWORK-0005",
                   Both("“{}”由另一方办理", "{} is another party's to do", step.label),
                   Text{"只能办理本地区一方的步骤。", "Take the steps of your own side."});
  }
  if (step.to == 0) return {};
  if (!facts.pending_action.empty()) {
    return Refusal("CB-CASEWORK-0007",
                   Msg("已提出的步骤等待另一人复核", "a proposed step waits for a second person"),
                   Text{"请先复核通过或退回。", "Approve or reject it first."});
  }
  if (std::find(step.from.begin(), step.from.end(), facts.shown) == step.from.end()) {
    return Refusal("CB-CASEWORK-0004",
                   Both("案件“{}”，不能“{}”", "the case is {}: no {} from there",
                        LabelOf(policy, facts.shown), step.label),
                   Text{"请刷新后查看可办理的步骤。", "Reload it to see which steps it offers."});
  }
  if (facts.gone) {
    return Refusal(
        "CB-CASEWORK-0016",
        Msg("问题在最新数据中已不再出现", "the newest data do not show it any more"),
        Text{"再次出现时会自动重新打开。", "It opens by itself when it is found again."});
  }
  return {};
}

Status CheckNeeds(const StepInfo& step, const Intent& intent) {
  auto missing = [&](std::string_view what, Text name) -> Status {
    if (!step.Needs(what)) return {};
    return Refusal("CB-CASEWORK-0006", Both("“{}”需要填写{}", "{} needs: {}", step.label, name));
  };
  if (intent.note.empty()) CANBAO_TRY(missing("note", Text{"说明", "a note"}));
  if (intent.reason.empty()) CANBAO_TRY(missing("reason", Text{"原因", "a reason"}));
  if (!intent.due.has_value()) CANBAO_TRY(missing("due", Text{"期限", "a date"}));
  return {};
}

std::string NoteOf(const Intent& intent) {
  if (intent.reason.empty()) return intent.note;
  return intent.note.empty() ? intent.reason : intent.reason + "\n" + intent.note;
}

Status TakeKeep(const CaseFacts& facts, const Intent& intent, Effect* effect) {
  if (!intent.keep) return {};
  if (*intent.keep < 0 || *intent.keep >= facts.relations) {
    return Refusal("CB-CASEWORK-0011", Msg("没有第 {0} 个关系", "no relation {0}", *intent.keep));
  }
  if (*intent.keep != facts.proposed_keep && intent.note.empty()) {
    return Refusal("CB-CASEWORK-0006",
                   Msg("保留的关系与规则建议不同，需要填写说明",
                       "another relation than the rule proposes is kept: say why in a note"));
  }
  effect->keep = intent.keep;
  return {};
}

Result<Effect> Approve(const Policy& policy, const CaseFacts& facts, const Actor& actor,
                       const Intent& intent) {
  const bool rejects = intent.action == "reject";
  if (facts.pending_action.empty()) {
    return Refusal("CB-CASEWORK-0009", Msg("没有等待复核的步骤", "no step waits for approval"));
  }
  const bool own = facts.pending_by == actor.account;
  if (!rejects && own) {
    return Refusal(
        "CB-CASEWORK-0008",
        Msg("提出人不能复核自己的步骤", "whoever proposed a step does not approve it"),
        Text{"请由另一名有复核权限的人员办理。", "Another person with the permission has to."});
  }
  if (!actor.may_approve && !own) {
    return Refusal("CB-CASEWORK-0010", Msg("没有复核权限", "no permission to approve"));
  }
  Effect effect;
  effect.action = intent.action;
  effect.clears_pending = true;
  effect.note = NoteOf(intent);
  if (rejects) return effect;
  const StepInfo* step = policy.FindStep(facts.kind, facts.pending_action);
  if (step == nullptr || step->to == 0) {
    return Refusal("CB-CASEWORK-0009", Msg("没有等待复核的步骤", "no step waits for approval"));
  }
  effect.state = step->to;
  effect.due = Date{};
  effect.closes = true;
  effect.closed_by = facts.pending_by;
  effect.approved_by = actor.account;
  return effect;
}

}  // namespace

Result<Effect> Decide(const Policy& policy, const CaseFacts& facts, const Actor& actor,
                      const Intent& intent, Date today) {
  if (intent.action == "approve" || intent.action == "reject") {
    return Approve(policy, facts, actor, intent);
  }
  const StepInfo* step = policy.FindStep(facts.kind, intent.action);
  if (step == nullptr) {
    return Refusal("CB-CASEWORK-0004", Msg("这类案件没有步骤“{0}”",
                                           "cases of this kind have no step {0}", intent.action));
  }
  CANBAO_TRY(Allowed(policy, *step, facts));
  CANBAO_TRY(CheckNeeds(*step, intent));
  Effect effect;
  effect.action = step->action;
  effect.note = NoteOf(intent);
  CANBAO_TRY(TakeKeep(facts, intent, &effect));
  if (step->to == 0) {
    if (intent.due.has_value()) effect.due = intent.due;
    if (intent.assignee) {
      effect.assignee = intent.assignee;
    } else if (step->action == "assign") {
      effect.assignee = actor.account;
    }
    return effect;
  }
  if (step->four_eyes && facts.pays_benefits) {
    effect.sets_pending = true;
    return effect;
  }
  if (step->all_parties) {
    bool all = true;
    for (const Party& p : facts.parties) {
      // The answer of another province comes by letter; whoever wrote it down says so in a note.
      const bool agrees = !p.agreed && (p.outside ? !intent.note.empty() : p.mine);
      if (agrees) effect.agrees.push_back(p.region);
      all = all && (p.agreed || agrees);
    }
    if (effect.agrees.empty() && !facts.parties.empty()) {
      const bool waits_outside = std::all_of(facts.parties.begin(), facts.parties.end(),
                                             [](const Party& p) { return p.agreed || p.outside; });
      if (waits_outside) {
        return Refusal("CB-CASEWORK-0006", Msg("外省一方的答复需要填写说明",
                                               "the answer of the other province needs a note"));
      }
      return Refusal("CB-CASEWORK-0005",
                     Msg("本方已同意，等待另一方", "your side has agreed; the other one has not"));
    }
    if (!all) return effect;
  }
  effect.state = step->to;
  const StateInfo* to = policy.FindState(step->to);
  const bool closed = to != nullptr && to->closed;
  effect.due = closed || step->due_days == 0
                   ? Date{}
                   : Date{static_cast<uint16_t>(today.v + step->due_days)};
  if (closed) {
    effect.closes = true;
    effect.closed_by = actor.account;
  }
  if (step->to == kFound) effect.clears_agreements = true;
  return effect;
}

std::vector<Offer> Offers(const Policy& policy, const CaseFacts& facts, const Actor& actor) {
  std::vector<Offer> out;
  if (!facts.pending_action.empty()) {
    const bool own = facts.pending_by == actor.account;
    if (actor.may_approve && !own) {
      out.push_back({"approve", ActionLabel(policy, facts.kind, "approve"), {}});
    }
    if (actor.may_approve || own) {
      out.push_back({"reject", ActionLabel(policy, facts.kind, "reject"), {}});
    }
  }
  for (const StepInfo& step : policy.steps()) {
    if (!step.Of(facts.kind) || !Allowed(policy, step, facts)) continue;
    Offer offer{step.action, step.label, step.needs};
    if (step.all_parties) {
      const bool mine = std::any_of(facts.parties.begin(), facts.parties.end(), [](const Party& p) {
        return p.mine && !p.outside && !p.agreed;
      });
      const bool outside = std::any_of(facts.parties.begin(), facts.parties.end(),
                                       [](const Party& p) { return p.outside && !p.agreed; });
      if (!facts.parties.empty() && !mine && !outside) continue;
      if (!mine && outside) offer.needs.emplace_back("note");
    }
    out.push_back(std::move(offer));
  }
  return out;
}

Text ActionLabel(const Policy& policy, CaseKind kind, std::string_view action) {
  if (action == "approve") return {"复核通过", "Approve"};
  if (action == "reject") return {"退回", "Reject"};
  if (action == "found_again") return {"再次发现", "Found again"};
  if (action == "evidence") return {"添加证据", "Evidence added"};
  const StepInfo* step = policy.FindStep(kind, action);
  return step == nullptr ? Text{std::string(action), std::string(action)} : step->label;
}

}  // namespace canbao::casework
