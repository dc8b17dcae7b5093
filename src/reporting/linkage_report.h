// What a run says of its linkage (docs/formats/linkage-report.md): read from its manifest, put
// beside the run before it, and written as text and json; linkage_page.h makes the page. Neither
// knows where manifests come from. Pure functions; a manifest that is damaged is an Error.
#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace canbao::reporting {

// What became of a group of rows and its best candidate. kApart counts pairs that somebody denied.
enum class LinkVerdict : uint8_t { kLinked, kConfirmed, kReview, kUnlikely, kApart };
inline constexpr size_t kLinkVerdicts = 5;
Text VerdictLabel(LinkVerdict verdict);
using ByVerdict = std::array<uint64_t, kLinkVerdicts>;
inline uint64_t Of(const ByVerdict& counts, LinkVerdict v) {
  return counts[static_cast<size_t>(v)];
}

struct LinkageReport {
  std::string run;
  std::string cutoff;  // ISO
  uint64_t province = 0;
  uint64_t persons = 0;

  struct Seekers {
    uint64_t groups = 0;
    uint64_t with_candidates = 0;
    double share = 0;
  };
  Seekers no_number, unverified;
  uint64_t groups() const { return no_number.groups + unverified.groups; }

  uint64_t compared = 0;
  uint64_t scored = 0;
  struct Rule {
    uint64_t number = 0;
    Text name;
    uint64_t pairs = 0;
  };
  std::vector<Rule> rules;
  struct Candidates {
    uint64_t from = 0;
    uint64_t to = 0;
    uint64_t groups = 0;
  };
  std::vector<Candidates> candidates;
  // By whole bits; the first and the last have gathered what lies beyond.
  std::map<int, ByVerdict> odds;
  ByVerdict verdicts{};
  // Groups that nobody shares a blocking key and a name at least alike with.
  uint64_t without_candidate() const;

  double expected_wrong = 0;
  double limit = 0;
  uint64_t decisions = 0;
  std::map<uint64_t, uint64_t> clusters, components;  // size → how many
  uint64_t in_clusters() const;                       // groups that did not stay alone

  struct Learned {
    std::string file, source, kind, field, level;
    uint64_t rows = 0;
    double m = 0;
  };
  std::vector<Learned> learned;

  struct Extract {
    std::string file, source, kind;
    uint64_t rows_in = 0, linked = 0, unlinked = 0, reference = 0, rejected = 0;
    std::vector<std::pair<std::string, uint64_t>> outcomes;
  };
  std::vector<Extract> extracts;
};

// CB-REPORTING-0011: damaged. The manifest must have an object `linkage`.
Result<LinkageReport> ReadLinkage(const boost::json::object& manifest, const std::string& path);

// How people call what a manifest names by keys. A key without a name stands for itself.
struct LinkageNames {
  std::map<std::string, Text> kinds;
  std::map<std::string, Text> fields;
  std::map<std::string, Text> levels;  // "field.level"
  std::vector<std::string> order;      // of those keys; others come last
  std::map<std::string, Text> outcomes;
};
// From which odds a link is made, or looked at, in bits.
struct LinkageThresholds {
  double accept = 0;
  double review = 0;
};
struct LinkageAccount {
  LinkageReport now;
  std::optional<LinkageReport> before;  // the run it is compared with
  std::optional<LinkageThresholds> thresholds;
  LinkageNames names;
};

// The figures at the head of every account, in the order in which they are read.
struct Headline {
  std::string_view key;
  Text label;
  double value = 0;
  bool whole = true;            // else a number with decimals
  std::optional<double> share;  // of the groups that looked for their person
};
std::vector<Headline> Headlines(const LinkageReport& report);

// Central 95 % of a Poisson distribution.
struct Interval {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(Interval, Interval) = default;
};
Interval PoissonInterval(double expected);

// m of one level over the files, in the order of the files; levels in `order` ("field.level").
struct LevelRates {
  std::string field, level;
  std::vector<const LinkageReport::Learned*> files;
  double lowest = 0, median = 0, highest = 0;
};
std::vector<LevelRates> RatesByLevel(const LinkageReport& report,
                                     const std::vector<std::string>& order);

// Rows of one source and kind.
struct SourceRows {
  std::string source, kind;
  uint64_t files = 0;
  uint64_t rows_in = 0, linked = 0, unlinked = 0, reference = 0, rejected = 0;
};
std::vector<SourceRows> RowsBySource(const LinkageReport& report);
std::vector<std::pair<std::string, uint64_t>> RowsByOutcome(const LinkageReport& report);

// "12,345", "0.010", "1.25"; "+12", "−0.003", "0"; "4.1 %", "< 0.1 %".
std::string AmountText(double value, bool whole);
std::string ChangeText(double change, bool whole);
std::string ShareText(double share);
Text NameOf(const std::map<std::string, Text>& names, const std::string& key);

std::string LinkageText(const LinkageAccount& account, Lang lang);
// The object as it is, with `run`, `cutoff`, `previous` and `differences` before it.
std::string LinkageJson(const LinkageAccount& account, const boost::json::object& manifest);

}  // namespace canbao::reporting
