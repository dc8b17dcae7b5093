#include "reporting/figures_source.h"

#include <algorithm>
#include <boost/json.hpp>
#include <exception>
#include <utility>

namespace canbao::reporting {
namespace json = boost::json;
using extract::Kind;
using extract::Stage;

Status FiguresSource::TakeManifest(std::string_view text) {
  try {
    const json::object o = json::parse({text.data(), text.size()}).as_object();
    province = o.at("province").to_number<uint32_t>();
    cutoff = ParseIsoDate(std::string_view(o.at("cutoff").as_string()));
    settlements_ = o.contains("settlements") && o.at("settlements").as_bool();
    for (const json::value& v : o.at("extracts").as_array()) {
      const json::object& e = v.as_object();
      bool known = false;
      Extract x{extract::KindFromName(std::string_view(e.at("kind").as_string()), &known),
                Stage::kInternal, e.at("region").to_number<uint32_t>()};
      for (Stage s :
           {Stage::kInternal, Stage::kCrossDepartment, Stage::kCrossCity, Stage::kCrossProvince}) {
        if (extract::StageName(s) == std::string_view(e.at("stage").as_string())) x.stage = s;
      }
      if (known) extracts_.push_back(x);
    }
    if (const json::value* rows = o.if_contains("population")) {
      for (const json::value& v : rows->as_array()) {
        const json::array& a = v.as_array();
        population_.push_back({a.at(0).to_number<uint64_t>(), a.at(1).to_number<uint16_t>(),
                               a.at(2).to_number<int64_t>()});
      }
    }
    errors_found_ = 0;
    if (const json::value* kinds = o.if_contains("discrepancies")) {
      for (const json::value& n : kinds->as_array()) errors_found_ += n.to_number<int64_t>();
    }
    return {};
  } catch (const std::exception& e) {
    return Fail(
        ErrorClass::kEnvironment, "CB-REPORTING-0011",
        Msg("运行清单无法读取：{0}", "the manifest of the run cannot be read: {0}", e.what()),
        Text{"请从备份恢复，或重新比对。", "restore it from a backup, or compare again."});
  }
}

// Complete = every source that the stage requires for the city was compared at this cut-off: for
// the internal stage a scheme's list of the city (or of the whole province), for the
// cross-department stage the household register and a department, for the cross-province stage the
// ministry's reply.
bool FiguresSource::StageComplete(Stage stage, uint32_t city) const {
  bool baseline = false;
  bool scheme = false;
  bool department = false;
  bool reply = false;
  for (const Extract& e : extracts_) {
    switch (e.kind) {
      case Kind::kHouseholdRegister:
        baseline = true;
        break;
      case Kind::kEnrolment:
        scheme |= e.region == 0 || e.region == province || e.region / 100 * 100 == city;
        break;
      case Kind::kNationalReply:
        reply = true;
        break;
      default:
        department |= e.stage == Stage::kCrossDepartment;
        break;
    }
  }
  switch (stage) {
    case Stage::kInternal:
    case Stage::kCrossCity:
      return scheme;
    case Stage::kCrossDepartment:
      return baseline && department;
    case Stage::kCrossProvince:
      return reply;
  }
  return false;
}

std::optional<int64_t> FiguresSource::ResidentPopulation(uint32_t division) const {
  std::optional<int64_t> people;
  uint16_t year = 0;
  for (const People& p : population_) {
    if (p.division != uint64_t{division} * 1000000 || p.year > cutoff.year() || p.year < year)
      continue;
    year = p.year;
    people = p.people;
  }
  return people;
}

Figures FiguresSource::FiguresOf(uint32_t division, Level level, Population who) const {
  Figures f = cube.RollUp(division, level, who);
  if (settlements_) f.facts.insert("medical_settlement");
  if (auto people = ResidentPopulation(division)) f.SetNamed("resident_population", people);

  static constexpr std::pair<Stage, const char*> kStages[] = {
      {Stage::kInternal, "compared_internal"},
      {Stage::kCrossDepartment, "compared_cross_department"},
      {Stage::kCrossCity, "compared_cross_city"},
      {Stage::kCrossProvince, "compared_cross_province"}};
  std::vector<uint32_t> cities;
  if (level == Level::kProvince) {
    cities = cube.Cities();
  } else {
    cities.push_back(division / 100 * 100);
  }
  const bool every_city = std::all_of(cities.begin(), cities.end(), [&](uint32_t c) {
    return c == 0 || StageComplete(Stage::kInternal, c);
  });
  int64_t compared[std::size(kStages)] = {};
  for (uint32_t city : cities) {
    const Figures c = level == Level::kProvince ? cube.RollUp(city, Level::kCity, who) : f;
    const int64_t people = c.Get(kForm21, 1).value_or(0) + c.Get(kForm21, 3).value_or(0);
    for (size_t i = 0; i < std::size(kStages); ++i) {
      // Across cities a person is compared once the lists of all of them are there.
      const Stage stage = kStages[i].first;
      if (stage == Stage::kCrossCity ? every_city : StageComplete(stage, city)) {
        compared[i] += people;
      }
    }
  }
  for (size_t i = 0; i < std::size(kStages); ++i) f.SetNamed(kStages[i].second, compared[i]);
  // Corrections are known for the province as a whole.
  if (level == Level::kProvince) {
    f.SetNamed("errors_found", errors_found_);
    f.SetNamed("errors_corrected", errors_corrected_);
  }
  return f;
}

FormTable MakeFormTable(const FiguresSource& source, const FormPtr& form, uint32_t division,
                        Level level, Population population,
                        const identity::DivisionTable& divisions) {
  auto evaluate = [&](uint32_t code, Level at) {
    Subject subject;
    subject.division = code;
    std::string name =
        divisions.NameOf(identity::Division{uint64_t{code} * 1000000}, source.cutoff);
    // 市本级 as a county of its own.
    if (at == Level::kCounty && code % 100 == 0 && !name.empty()) name += "本级";
    subject.name = Text{name, name};
    subject.cutoff = source.cutoff;
    subject.population = population == Population::kHukou ? "hukou" : "all";
    return Evaluate(form, source.FiguresOf(code, at, population), subject);
  };
  FormTable table{evaluate(division, level), {}};
  if (level == Level::kProvince) {
    for (uint32_t city : source.cube.Cities()) {
      if (city != 0) table.parts.push_back(evaluate(city, Level::kCity));
    }
  } else if (level == Level::kCity) {
    for (uint32_t county : source.cube.Counties(division)) {
      table.parts.push_back(evaluate(county, Level::kCounty));
    }
  }
  return table;
}

}  // namespace canbao::reporting
