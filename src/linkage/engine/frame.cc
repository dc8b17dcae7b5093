#include "linkage/engine/frame.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "linkage/errors.h"

namespace canbao::linkage {
namespace {

// The column `name` of all tables as one.
Column Together(const std::vector<Table>& tables, const std::vector<size_t>& at, size_t rows) {
  Column out;
  out.rows.reserve(rows);
  for (size_t t = 0; t < tables.size(); ++t) {
    const Column& in = tables[t].columns[at[t]];
    std::vector<Code> to(in.values.size());
    for (Code code = 0; code < to.size(); ++code) to[code] = out.values.Add(in.values[code]);
    for (Code code : in.rows) out.rows.push_back(to[code]);
  }
  return out;
}

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t x = (a ^ b) * 0x9E3779B97F4A7C15u;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  return x ^ x >> 29;
}

void AddToHash(const Column& column, uint64_t seed, std::vector<uint64_t>* hashes) {
  std::vector<uint64_t> of(column.values.size());
  for (Code code = 0; code < of.size(); ++code) of[code] = HashOf(column.values[code], seed);
  for (size_t row = 0; row < hashes->size(); ++row) {
    (*hashes)[row] = Mix((*hashes)[row], of[column.rows[row]]);
  }
}

}  // namespace

void SortByKey(const std::vector<uint64_t>& keys, std::vector<uint32_t>* order) {
  constexpr size_t kSmall = 4096;
  if (order->size() < kSmall) {
    std::stable_sort(order->begin(), order->end(),
                     [&keys](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
    return;
  }
  // Radix sort, eleven bits a round; rounds in which all are equal are left out.
  constexpr int kBits = 11;
  constexpr size_t kBuckets = size_t{1} << kBits;
  uint64_t differ = 0;
  for (uint32_t row : *order) differ |= keys[row] ^ keys[order->front()];
  std::vector<uint32_t> other(order->size());
  for (int shift = 0; shift < 64; shift += kBits) {
    if ((differ >> shift & (kBuckets - 1)) == 0) continue;
    std::array<size_t, kBuckets + 1> begin{};
    for (uint32_t row : *order) ++begin[(keys[row] >> shift & (kBuckets - 1)) + 1];
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    for (uint32_t row : *order) other[begin[keys[row] >> shift & (kBuckets - 1)]++] = row;
    order->swap(other);
  }
}

Result<Frame> BuildFrame(const Model& model, const std::vector<Table>& tables,
                         const std::vector<std::string>& paths) {
  Frame frame;
  for (const Table& table : tables) frame.rows += table.rows();
  if (frame.rows > INT32_MAX || tables.size() > UINT16_MAX) {
    return Fail(ErrorClass::kInput, std::string(kErrTableRows), Msg("行数过多", "too many rows"),
                Msg("请分批处理", "link it in parts"));
  }
  frame.width = model.columns.size();
  std::vector<Column> columns(frame.width);
  std::map<std::string, size_t> by_name;
  for (size_t c = 0; c < frame.width; ++c) {
    const ModelColumn& m = model.columns[c];
    if (m.raw) {
      std::vector<size_t> at;
      for (size_t t = 0; t < tables.size(); ++t) {
        CANBAO_ASSIGN(size_t found, NeedColumn(tables[t], paths[t], m.made_of.name,
                                               Msg("模型需要此列", "the model needs this column")));
        at.push_back(found);
      }
      columns[c] = Together(tables, at, frame.rows);
    } else {
      columns[c] = Evaluate(m.made_of, frame.rows, [&](const std::string& name) -> const Column& {
        return columns[by_name.at(name)];
      });
    }
    by_name.emplace(m.name, c);
  }

  std::vector<uint64_t> hashes(frame.rows, model.training.seed);
  for (size_t c = 0; c < frame.width; ++c)
    AddToHash(columns[c], HashOf(model.columns[c].name), &hashes);
  if (!model.id.empty()) {
    std::vector<size_t> at;
    for (size_t t = 0; t < tables.size(); ++t) {
      CANBAO_ASSIGN(size_t found,
                    NeedColumn(tables[t], paths[t], model.id,
                               Msg("模型以此列作行的标识", "the model names rows by this column")));
      at.push_back(found);
    }
    AddToHash(Together(tables, at, frame.rows), HashOf("id"), &hashes);
  }
  frame.origin.resize(frame.rows);
  std::iota(frame.origin.begin(), frame.origin.end(), 0);
  SortByKey(hashes, &frame.origin);

  std::vector<uint16_t> file_of(frame.rows);
  size_t begin = 0;
  for (size_t t = 0; t < tables.size(); ++t) {
    std::fill_n(file_of.begin() + static_cast<int64_t>(begin), tables[t].rows(),
                static_cast<uint16_t>(t));
    begin += tables[t].rows();
  }
  frame.codes.resize(frame.rows * frame.width);
  frame.file.resize(frame.rows);
  for (size_t row = 0; row < frame.rows; ++row) {
    const uint32_t from = frame.origin[row];
    frame.file[row] = file_of[from];
    for (size_t c = 0; c < frame.width; ++c) {
      frame.codes[row * frame.width + c] = columns[c].rows[from];
    }
  }
  for (Column& column : columns) frame.values.push_back(std::move(column.values));
  return frame;
}

}  // namespace canbao::linkage
