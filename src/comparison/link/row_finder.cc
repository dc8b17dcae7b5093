#include "comparison/link/row_finder.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <tuple>

#include "comparison/employer_table.h"
#include "comparison/partition_stage.h"

namespace canbao::comparison {
namespace {

using extract::Delivery;
using extract::Kind;

class PlaceSink : public extract::RowSink {
 public:
  PlaceSink(const Delivery& delivery, const EmployerTable& employers,
            const std::vector<RowPlace>& places)
      : delivery_(delivery), employers_(employers), places_(places), found_(places.size()) {}

  Status OnBatch(int, const extract::RowBatch& batch) override {
    for (size_t i = 0; i < places_.size(); ++i) {
      const RowPlace& want = places_[i];
      if (want.extract != batch.extract) continue;
      auto here = [&want](uint64_t line, uint8_t sheet) {
        return line == want.line && (want.sheet == 0 || want.sheet == sheet);
      };
      for (const extract::Row& row : batch.rows) {
        if (here(row.line, row.sheet)) Take(i, row);
      }
      for (const extract::Reject& reject : batch.rejects) {
        if (!here(reject.line, reject.sheet)) continue;
        FoundRow out;
        out.place = {want.extract, want.line, reject.sheet};
        out.rejected = true;
        out.reason = reject.reason;
        out.reject_text = reject.text;
        Keep(i, std::move(out));
      }
    }
    return {};
  }
  std::vector<std::optional<FoundRow>> TakeAll() {
    for (std::optional<FoundRow>& row : found_) {
      if (!row || row->rejected) continue;
      row->record = Decode(*reinterpret_cast<const Packed*>(row->bytes.data()));
      row->record.extract = static_cast<uint16_t>(row->place.extract);
    }
    return std::move(found_);
  }

 private:
  void Take(size_t i, const extract::Row& row) {
    const extract::ExtractSpec& spec = delivery_.extracts[places_[i].extract];
    FoundRow out;
    out.place = {places_[i].extract, places_[i].line, row.sheet};
    const uint32_t line = PackedLine(row);
    out.key = row.number.number.has_value() ? row.number.number.v : ProvisionalKey(spec, row, line);
    const Employer employer = employers_.Find(employers_.Want(row.uscc, row.employer_no));
    size_t size = Encode(row, spec.kind, static_cast<uint16_t>(places_[i].extract), line, out.key,
                         employer, true, &out.bytes);
    out.bytes.resize(size);
    Keep(i, std::move(out));
  }
  // Of several sheets the first.
  void Keep(size_t i, FoundRow row) {
    std::lock_guard lock(mutex_);
    if (found_[i] && found_[i]->place.sheet <= row.place.sheet) return;
    found_[i] = std::move(row);
  }

  const Delivery& delivery_;
  const EmployerTable& employers_;
  const std::vector<RowPlace>& places_;
  std::mutex mutex_;
  std::vector<std::optional<FoundRow>> found_;
};

// Remembers where rows lie that somebody asks for.
class SearchSink : public extract::RowSink {
 public:
  explicit SearchSink(std::function<bool(const extract::Row&)> wanted)
      : wanted_(std::move(wanted)) {}
  Status OnBatch(int, const extract::RowBatch& batch) override {
    for (const extract::Row& row : batch.rows) {
      if (!wanted_(row)) continue;
      std::lock_guard lock(mutex_);
      places_.push_back({batch.extract, static_cast<uint32_t>(row.line), row.sheet});
    }
    return {};
  }
  std::vector<RowPlace> Sorted() {
    std::sort(places_.begin(), places_.end(), [](const RowPlace& a, const RowPlace& b) {
      return std::tie(a.extract, a.sheet, a.line) < std::tie(b.extract, b.sheet, b.line);
    });
    return places_;
  }

 private:
  std::function<bool(const extract::Row&)> wanted_;
  std::mutex mutex_;
  std::vector<RowPlace> places_;
};

class CountSink : public extract::RowSink {
 public:
  CountSink(const std::vector<uint64_t>& names, int workers)
      : names_(names), counts_(static_cast<size_t>(workers)) {}
  Status OnBatch(int worker, const extract::RowBatch& batch) override {
    Frequencies& f = counts_[static_cast<size_t>(worker)];
    for (const extract::Row& row : batch.rows) {
      Profile p;
      p.name = row.name_code.v;
      p.birth = row.birth.has_value() ? row.birth : identity::BirthDateOf(row.number.number);
      p.places.Add(row.division.county());
      f.Add(p, std::find(names_.begin(), names_.end(), p.name) != names_.end());
    }
    return {};
  }
  Frequencies Sum() const {
    Frequencies all;
    for (const Frequencies& f : counts_) all.Merge(f);
    return all;
  }

 private:
  const std::vector<uint64_t>& names_;
  std::vector<Frequencies> counts_;
};

extract::ReadOptions Options(int threads) {
  extract::ReadOptions o;
  o.threads = threads;
  o.today = Date::Today();
  o.sha256 = false;
  return o;
}

std::vector<size_t> OfKind(const Delivery& delivery, Kind kind) {
  std::vector<size_t> out;
  for (size_t i = 0; i < delivery.extracts.size(); ++i) {
    if (delivery.extracts[i].kind == kind) out.push_back(i);
  }
  return out;
}

}  // namespace

std::string FoundRow::number_text() const {
  std::string text = Text(TextTag::kIdNumber);
  if (!text.empty() || IsProvisionalKey(key)) return text;
  return identity::ToText(identity::PersonNumber{key});
}

Result<std::vector<std::optional<FoundRow>>> FindRows(const Delivery& delivery,
                                                      const std::vector<RowPlace>& places,
                                                      const std::string& data_dir, int threads) {
  EmployerTable employers;
  CANBAO_ASSIGN(std::vector<extract::ExtractAccount> ignored,
                extract::ReadExtracts(delivery, OfKind(delivery, Kind::kEmployer), data_dir,
                                      &employers, Options(threads)));
  std::vector<size_t> files;
  for (const RowPlace& p : places) files.push_back(p.extract);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  PlaceSink sink(delivery, employers, places);
  CANBAO_ASSIGN(ignored, extract::ReadExtracts(delivery, files, data_dir, &sink, Options(threads)));
  return sink.TakeAll();
}

namespace {

Result<std::vector<FoundRow>> Search(const Delivery& delivery, const std::vector<size_t>& files,
                                     std::function<bool(const extract::Row&)> wanted,
                                     const std::string& data_dir, int threads) {
  SearchSink sink(std::move(wanted));
  CANBAO_ASSIGN(std::vector<extract::ExtractAccount> ignored,
                extract::ReadExtracts(delivery, files, data_dir, &sink, Options(threads)));
  std::vector<FoundRow> out;
  std::vector<RowPlace> places = sink.Sorted();
  if (places.empty()) return out;
  CANBAO_ASSIGN(auto rows, FindRows(delivery, places, data_dir, threads));
  for (std::optional<FoundRow>& row : rows) {
    if (row && !row->rejected) out.push_back(std::move(*row));
  }
  return out;
}

}  // namespace

Result<std::vector<FoundRow>> FindRegistered(const Delivery& delivery,
                                             const std::vector<uint64_t>& numbers,
                                             const std::string& data_dir, int threads) {
  return Search(
      delivery, OfKind(delivery, Kind::kHouseholdRegister),
      [&numbers](const extract::Row& row) {
        return std::find(numbers.begin(), numbers.end(), row.number.number.v) != numbers.end();
      },
      data_dir, threads);
}

Result<std::vector<FoundRow>> FindSamePersonNo(const Delivery& delivery, const FoundRow& row,
                                               const std::string& data_dir, int threads) {
  const std::string person_no = row.Text(TextTag::kPersonNo);
  std::vector<FoundRow> none;
  if (person_no.empty()) return none;
  std::vector<size_t> files;
  for (size_t i = 0; i < delivery.extracts.size(); ++i) {
    if (delivery.extracts[i].source == delivery.extracts[row.place.extract].source) {
      files.push_back(i);
    }
  }
  return Search(
      delivery, files,
      [&person_no](const extract::Row& other) {
        return other.number.number.has_value() && other.person_no == person_no;
      },
      data_dir, threads);
}

Result<Frequencies> CountRegister(const Delivery& delivery, const std::vector<uint64_t>& names,
                                  const std::string& data_dir, int threads) {
  CountSink sink(names, threads);
  CANBAO_ASSIGN(std::vector<extract::ExtractAccount> ignored,
                extract::ReadExtracts(delivery, OfKind(delivery, Kind::kHouseholdRegister),
                                      data_dir, &sink, Options(threads)));
  return sink.Sum();
}

Profile ProfileOf(const FoundRow& row) {
  const Record& r = row.record;
  Profile p = SeekerOf({&r, 1});
  if (IsProvisionalKey(row.key)) return p;
  p.by_number = true;
  AddNumber(row.key, &p);
  if (!p.birth.has_value()) {
    p.birth = identity::BirthDateOf(identity::PersonNumber{row.key});
    p.birth_of_number = p.birth.has_value();
  }
  if (p.sex == identity::Sex::kUnknown) {
    p.sex = identity::SexOf(identity::PersonNumber{row.key});
  }
  return p;
}

}  // namespace canbao::comparison
