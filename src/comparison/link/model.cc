#include "comparison/link/model.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>

#include "base/digest.h"
#include "base/file.h"

namespace canbao::comparison {
namespace {

Error BadModel(const std::string& path, std::string_view key) {
  return Error{ErrorClass::kEnvironment,
               "CB-COMPARISON-0011",
               Msg("关联模型有误：{0}", "a linkage model is wrong: {0}", std::string(key)),
               Text{"请恢复发布时的文件。", "restore the file as it was shipped."},
               path,
               0,
               0};
}

// Levels of a field that exclude one another among rows that are counted: those of birth dates that
// only a number says are another matter.
bool IsCounted(Field f, uint8_t level) {
  const auto& levels = FieldNames()[static_cast<size_t>(f)].levels;
  return level >= 1 && level <= levels.size() && levels[level - 1u].m_counted;
}

}  // namespace

Result<std::shared_ptr<const LinkModel>> LinkModel::Load(const std::string& data_dir, Date cutoff) {
  const std::string folder = data_dir + "/linkage";
  std::vector<std::string> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  std::shared_ptr<LinkModel> newest;
  Date newest_from;
  for (const std::string& path : files) {
    CANBAO_ASSIGN(std::string text, ReadWholeFile(path));
    toml::parse_result parsed;
    try {
      parsed = toml::parse(text);
    } catch (const toml::parse_error& e) {
      return Fail(BadModel(path, e.description()));
    }
    auto from = parsed["from"].value<toml::date>();
    if (!from) return Fail(BadModel(path, "from"));
    Date begins = Date::FromYmd(from->year, from->month, from->day);
    if (begins > cutoff || (newest != nullptr && begins <= newest_from)) continue;
    auto model = std::make_shared<LinkModel>();
    std::string missing;
    auto number = [&](const char* table, const std::string& key, int64_t low, int64_t high) {
      auto v = parsed[table][key].value<int64_t>();
      if (!v || *v < low || *v > high) {
        if (missing.empty()) missing = fmt::format("{}.{}", table, key);
        return low;
      }
      return *v;
    };
    auto share = [&](const char* table, const std::string& key) {
      return static_cast<uint64_t>(number(table, key, 1, 999999));
    };
    for (size_t f = 0; f < kFields; ++f) {
      const FieldName& field = FieldNames()[f];
      for (size_t l = 0; l < field.levels.size(); ++l) {
        Rate& rate = model->rates[f][l + 1];
        rate.m = share(field.key, fmt::format("{}_m", field.levels[l].key));
        if (!field.levels[l].u_counted) {
          rate.u = share(field.key, fmt::format("{}_u", field.levels[l].key));
        }
      }
    }
    model->alike_factor = share("name", "alike_u_factor");
    model->first_unverified = share("prior", "unverified") * kOne / 1000000;
    model->first_no_number = share("prior", "no_number") * kOne / 1000000;
    model->first_unknown = share("prior", "unknown") * kOne / 1000000;
    model->accept = static_cast<Bits>(number("decision", "accept", -100000, 100000));
    model->review = static_cast<Bits>(number("decision", "review", -100000, 100000));
    model->false_per_million =
        static_cast<uint64_t>(number("decision", "false_per_million", 1, 1000));
    model->training_sample = static_cast<uint32_t>(number("training", "sample", 1, 100000));
    model->training_weight = static_cast<uint64_t>(number("training", "weight", 1, 1000000));
    if (!missing.empty()) return Fail(BadModel(path, missing));
    model->version = std::filesystem::path(path).filename().string() +
                     " sha256:" + Sha256Hex(text).substr(0, 16);
    newest = std::move(model);
    newest_from = begins;
  }
  if (newest == nullptr) return Fail(BadModel(folder, "*.toml"));
  return std::shared_ptr<const LinkModel>(newest);
}

void TrainingCounts::Merge(const TrainingCounts& other) {
  for (size_t s = 0; s < counts_.size(); ++s) {
    for (size_t f = 0; f < kFields; ++f) {
      for (size_t l = 0; l < kMaxLevels; ++l) counts_[s][f][l] += other.counts_[s][f][l];
    }
  }
}

uint64_t TrainingCounts::M(const LinkModel& model, size_t source, Field f, uint8_t level) const {
  const uint64_t supposed = model.rates[static_cast<size_t>(f)][level].m;
  if (!IsCounted(f, level)) return supposed;
  uint64_t seen = 0;
  uint64_t all = 0;  // of the model, about a million
  for (uint8_t l = 1; l < kMaxLevels; ++l) {
    if (!IsCounted(f, l)) continue;
    seen += Of(source, f, l);
    all += model.rates[static_cast<size_t>(f)][l].m;
  }
  const uint64_t weight = model.training_weight;
  // (count · all + weight · m) / (seen + weight): the levels still add up to `all`.
  const uint64_t m = (Of(source, f, level) * all + weight * supposed) / (seen + weight);
  return std::max<uint64_t>(m, 1);
}

void Frequencies::Add(const Profile& person, bool with_name) {
  ++persons;
  if (with_name) ++names[person.name];
  if (HashKey(person.name) % 8 == 0) ++sampled_names[person.name];
  ++births[person.birth.v];
  // A city is counted once however many of its counties a person has.
  Few<uint32_t, 8> all;
  for (uint32_t place : person.places.all()) {
    all.Add(place);
    all.Add(CityOf(place));
  }
  for (uint32_t place : all.all()) {
    if (place < places.size()) ++places[place];
  }
}

void Frequencies::Merge(const Frequencies& other) {
  persons += other.persons;
  for (auto [k, n] : other.names) names[k] += n;
  for (auto [k, n] : other.sampled_names) sampled_names[k] += n;
  for (size_t i = 0; i < births.size(); ++i) births[i] += other.births[i];
  for (size_t i = 0; i < places.size(); ++i) places[i] += other.places[i];
}

uint64_t Frequencies::OfName(uint64_t name) const {
  auto it = names.find(name);
  return it == names.end() ? 1 : std::max<uint64_t>(it->second, 1);
}

std::array<uint64_t, 3> Frequencies::RareNames() const {
  constexpr uint64_t kEnough = 10;
  std::array<uint64_t, 4> borne_by{};
  for (auto [name, n] : sampled_names) {
    if (n < borne_by.size()) ++borne_by[n];
  }
  std::array<uint64_t, 3> out = {0, 1000, 2000};
  for (uint64_t n = 1; n <= 2; ++n) {
    if (borne_by[n] < kEnough || borne_by[n + 1] < kEnough) break;
    const uint64_t stands_for = (n + 1) * borne_by[n + 1] * 1000 / borne_by[n];
    out[n] = std::clamp<uint64_t>(stands_for, n * 100, n * 1000);
  }
  return out;
}

uint64_t Frequencies::OfPlace(uint32_t place) const {
  return place < places.size() ? std::max<uint64_t>(places[place], 1) : 1;
}

Weights::Weights(const LinkModel& model, const TrainingCounts& training,
                 const Frequencies& frequencies)
    : frequencies_(frequencies),
      alike_factor_(Log2(model.alike_factor, 1)),
      rare_(frequencies.RareNames()) {
  fixed_.resize(training.sources());
  for (size_t s = 0; s < fixed_.size(); ++s) {
    for (size_t f = 0; f < kFields; ++f) {
      for (size_t i = 0; i < FieldNames()[f].levels.size(); ++i) {
        const auto l = static_cast<uint8_t>(i + 1);
        const uint64_t m = training.M(model, s, static_cast<Field>(f), l);
        const uint64_t u = model.rates[f][l].u;
        // Where u is counted, what is missing here is log2(persons / count).
        fixed_[s][f][l] = Log2(m, u == 0 ? 1000000 : u);
      }
    }
  }
}

Bits Weights::Of(Field f, uint16_t source, Levels levels, const Shared& shared) const {
  const uint8_t l = levels.Of(f);
  if (l == level::kNone) return 0;
  const uint64_t n = std::max<uint64_t>(frequencies_.persons, 1);
  auto rarity = [n](uint64_t count) { return Log2(n, std::min(count, n)); };
  const Bits fixed = fixed_[source][static_cast<size_t>(f)][l];
  if (f == Field::kName) {
    const uint64_t count = frequencies_.OfName(shared.name);
    if (l == level::kNameAlike) return fixed + std::max(rarity(count) - alike_factor_, 0);
    return fixed + (count < rare_.size() ? Log2(n * 1000, rare_[count]) : rarity(count));
  }
  if (f == Field::kBirth && l == level::kBirthEqual) {
    return fixed + rarity(frequencies_.OfBirth(shared.birth));
  }
  if (f == Field::kPlace && l != level::kOtherPlace) {
    return fixed + rarity(frequencies_.OfPlace(shared.place));
  }
  return fixed;
}

Bits Weights::Sum(uint16_t source, Levels levels, const Shared& shared) const {
  if (levels.Of(Field::kName) == level::kNameUnlike) return kNever;
  Bits sum = 0;
  for (size_t f = 0; f < kFields; ++f) sum += Of(static_cast<Field>(f), source, levels, shared);
  return sum;
}

}  // namespace canbao::comparison
