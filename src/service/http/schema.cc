#include "service/http/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/regex.hpp>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "base/date.h"
#include "service/http/target.h"

namespace canbao::service {
namespace json = boost::json;
namespace {

constexpr size_t kMostFaults = 12;
constexpr size_t kLongestMatched = 4096;  // characters that a pattern is tried on

enum TypeBit : unsigned {
  kObject = 1,
  kArray = 2,
  kString = 4,
  kInteger = 8,
  kNumber = 16,
  kBoolean = 32,
  kNull = 64,
};

unsigned TypeBitOf(std::string_view name) {
  if (name == "object") return kObject;
  if (name == "array") return kArray;
  if (name == "string") return kString;
  if (name == "integer") return kInteger;
  if (name == "number") return kNumber | kInteger;
  if (name == "boolean") return kBoolean;
  if (name == "null") return kNull;
  throw std::runtime_error("schema: unknown type " + std::string(name));
}

std::string TypeWords(unsigned types, Lang lang) {
  static const std::pair<unsigned, Text> kWords[] = {
      {kObject, {"对象", "an object"}},   {kArray, {"数组", "an array"}},
      {kString, {"文本", "text"}},        {kNumber, {"数", "a number"}},
      {kInteger, {"整数", "an integer"}}, {kBoolean, {"true 或 false", "true or false"}},
      {kNull, {"空值（null）", "null"}},
  };
  if ((types & kNumber) != 0) types &= ~static_cast<unsigned>(kInteger);
  std::string out;
  for (const auto& [bit, words] : kWords) {
    if ((types & bit) == 0) continue;
    if (!out.empty()) out += lang == Lang::kZh ? "或" : " or ";
    out += words.In(lang);
  }
  return out;
}

std::optional<double> NumberOf(const json::object& o, std::string_view key) {
  const json::value* v = o.if_contains(key);
  if (v == nullptr) return std::nullopt;
  return v->to_number<double>();
}

std::string Below(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

}  // namespace

class SchemaNode : public Schema {
 public:
  std::string default_text() const override { return default_; }
  bool Accepts(json::kind kind) const override {
    if (ref_ != nullptr) return ref_->Accepts(kind);
    switch (kind) {
      case json::kind::int64:
      case json::kind::uint64:
        return types_ == 0 || (types_ & kInteger) != 0;
      case json::kind::double_:
        return types_ == 0 || (types_ & kNumber) != 0;
      case json::kind::bool_:
        return types_ == 0 || (types_ & kBoolean) != 0;
      case json::kind::string:
        return types_ == 0 || (types_ & kString) != 0;
      default:
        return types_ == 0;
    }
  }

 protected:
  void Visit(json::value& value, const std::string& path, Lang lang,
             std::vector<Problem::Field>* faults) const override;

 private:
  friend class Schemas;
  void VisitText(const json::string& text, const std::string& path, Lang lang,
                 std::vector<Problem::Field>* faults) const;
  void VisitNumber(const json::value& value, const std::string& path, Lang lang,
                   std::vector<Problem::Field>* faults) const;
  void VisitArray(json::array& array, const std::string& path, Lang lang,
                  std::vector<Problem::Field>* faults) const;
  void VisitObject(json::object& object, const std::string& path, Lang lang,
                   std::vector<Problem::Field>* faults) const;
  bool HasType(json::value& value) const;

  const SchemaNode* ref_ = nullptr;
  unsigned types_ = 0;  // 0 = any
  std::vector<json::value> enum_;
  std::optional<boost::regex> pattern_;
  std::string pattern_text_;
  std::optional<double> minimum_, maximum_;
  size_t min_length_ = 0, max_length_ = SIZE_MAX;
  size_t min_items_ = 0, max_items_ = SIZE_MAX;
  size_t max_properties_ = SIZE_MAX;
  bool date_ = false;
  const SchemaNode* items_ = nullptr;
  std::map<std::string, const SchemaNode*, std::less<>> properties_;
  std::set<std::string, std::less<>> required_;
  bool closed_ = false;  // additionalProperties: false
  const SchemaNode* additional_ = nullptr;
  std::vector<const SchemaNode*> one_of_, all_of_;
  std::string default_;
};

void Schema::Check(json::value& value, Lang lang, std::vector<Problem::Field>* faults) const {
  Visit(value, {}, lang, faults);
}

void Schema::CheckText(std::string_view text, std::string_view name, Lang lang,
                       std::vector<Problem::Field>* faults) const {
  json::value value;
  int64_t integer = 0;
  const char* end = text.data() + text.size();
  if (Accepts(json::kind::string)) {
    value = text;
  } else if (Accepts(json::kind::int64) && std::from_chars(text.data(), end, integer).ptr == end &&
             !text.empty() && std::from_chars(text.data(), end, integer).ec == std::errc()) {
    value = integer;
  } else if (Accepts(json::kind::bool_) && (text == "true" || text == "false")) {
    value = text == "true";
  } else {
    value = text;  // of no type that is wanted
  }
  Visit(value, std::string(name), lang, faults);
}

bool SchemaNode::HasType(json::value& value) const {
  if (types_ == 0) return true;
  switch (value.kind()) {
    case json::kind::object:
      return (types_ & kObject) != 0;
    case json::kind::array:
      return (types_ & kArray) != 0;
    case json::kind::string:
      return (types_ & kString) != 0;
    case json::kind::bool_:
      return (types_ & kBoolean) != 0;
    case json::kind::null:
      return (types_ & kNull) != 0;
    case json::kind::int64:
      return (types_ & kInteger) != 0;
    case json::kind::uint64:  // beyond int64
      return (types_ & kNumber) != 0;
    case json::kind::double_: {
      const double d = value.get_double();
      if (std::trunc(d) == d && std::fabs(d) < 9007199254740992.0 && (types_ & kInteger) != 0) {
        if ((types_ & kNumber) == 0) value = static_cast<int64_t>(d);
        return true;
      }
      return (types_ & kNumber) != 0;
    }
  }
  return false;
}

void SchemaNode::VisitText(const json::string& text, const std::string& path, Lang lang,
                           std::vector<Problem::Field>* faults) const {
  const std::string_view view(text.data(), text.size());
  const size_t length = CountCharacters(view);
  if (length < min_length_) {
    faults->push_back(
        {path, Msg("至少 {0} 个字符", "at least {0} characters", min_length_).In(lang)});
  } else if (length > max_length_) {
    faults->push_back(
        {path, Msg("最多 {0} 个字符", "at most {0} characters", max_length_).In(lang)});
  } else if (pattern_ && (view.size() > kLongestMatched ||
                          !boost::regex_search(view.data(), view.data() + view.size(), *pattern_,
                                               boost::regex_constants::match_single_line))) {
    faults->push_back({path, Msg("格式应为 {0}", "must match {0}", pattern_text_).In(lang)});
  } else if (date_ && (view.size() != 10 || !ParseIsoDate(view).has_value())) {
    faults->push_back(
        {path, Msg("应为 YYYY-MM-DD 形式的日期", "must be a day, YYYY-MM-DD").In(lang)});
  }
}

void SchemaNode::VisitNumber(const json::value& value, const std::string& path, Lang lang,
                             std::vector<Problem::Field>* faults) const {
  const auto number = value.to_number<double>();
  if (minimum_ && number < *minimum_) {
    faults->push_back({path, Msg("不得小于 {0}", "must not be less than {0}", *minimum_).In(lang)});
  } else if (maximum_ && number > *maximum_) {
    faults->push_back({path, Msg("不得大于 {0}", "must not be more than {0}", *maximum_).In(lang)});
  }
}

void SchemaNode::VisitArray(json::array& array, const std::string& path, Lang lang,
                            std::vector<Problem::Field>* faults) const {
  if (array.size() < min_items_) {
    faults->push_back({path, Msg("至少 {0} 项", "at least {0} items", min_items_).In(lang)});
  } else if (array.size() > max_items_) {
    faults->push_back({path, Msg("最多 {0} 项", "at most {0} items", max_items_).In(lang)});
  } else if (items_ != nullptr) {
    for (size_t i = 0; i < array.size() && faults->size() < kMostFaults; ++i)
      items_->Visit(array[i], fmt::format("{}[{}]", path, i), lang, faults);
  }
}

void SchemaNode::VisitObject(json::object& object, const std::string& path, Lang lang,
                             std::vector<Problem::Field>* faults) const {
  for (const std::string& name : required_) {
    if (!object.contains(name))
      faults->push_back({Below(path, name), Msg("必填", "is required").In(lang)});
  }
  if (object.size() > max_properties_) {
    faults->push_back({path, Msg("最多 {0} 项", "at most {0} items", max_properties_).In(lang)});
    return;
  }
  for (auto& member : object) {
    if (faults->size() >= kMostFaults) return;
    const std::string_view name(member.key().data(), member.key().size());
    auto it = properties_.find(name);
    if (it != properties_.end()) {
      it->second->Visit(member.value(), Below(path, name), lang, faults);
    } else if (closed_) {
      faults->push_back(
          {Below(path, name.substr(0, 100)), Msg("没有这一项", "there is no such field").In(lang)});
    } else if (additional_ != nullptr) {
      additional_->Visit(member.value(), Below(path, name), lang, faults);
    }
  }
}

void SchemaNode::Visit(json::value& value, const std::string& path, Lang lang,
                       std::vector<Problem::Field>* faults) const {
  if (faults->size() >= kMostFaults) return;
  if (ref_ != nullptr) return ref_->Visit(value, path, lang, faults);
  if (!HasType(value)) {
    faults->push_back({path, Msg("应为{0}", "must be {0}", TypeWords(types_, lang)).In(lang)});
    return;
  }
  if (!enum_.empty() && std::find(enum_.begin(), enum_.end(), value) == enum_.end()) {
    std::string known;
    for (const json::value& v : enum_) {
      known += known.empty() ? "" : lang == Lang::kZh ? "、" : ", ";
      known += v.is_string() ? std::string(v.get_string()) : json::serialize(v);
    }
    faults->push_back({path, Msg("应为其中之一：{0}", "must be one of {0}", known).In(lang)});
    return;
  }
  if (auto* text = value.if_string()) VisitText(*text, path, lang, faults);
  if (value.is_number()) VisitNumber(value, path, lang, faults);
  if (auto* array = value.if_array()) VisitArray(*array, path, lang, faults);
  if (auto* object = value.if_object()) VisitObject(*object, path, lang, faults);
  for (const SchemaNode* all : all_of_) all->Visit(value, path, lang, faults);
  if (!one_of_.empty()) {
    std::vector<Problem::Field> first;
    size_t fits = 0;
    for (const SchemaNode* one : one_of_) {
      std::vector<Problem::Field> own;
      one->Visit(value, path, lang, &own);
      if (own.empty()) ++fits;
      if (first.empty()) first = std::move(own);
    }
    if (fits == 0) faults->insert(faults->end(), first.begin(), first.end());
    if (fits > 1)
      faults->push_back({path, Msg("含义不唯一", "may be understood in two ways").In(lang)});
  }
}

struct Schemas::State {
  const json::value* document = nullptr;
  std::map<const json::value*, std::unique_ptr<SchemaNode>> nodes;
};

Schemas::Schemas(const json::value& document) : state_(std::make_unique<State>()) {
  state_->document = &document;
}
Schemas::~Schemas() = default;

const Schema* Schemas::Get(const json::value& at) {
  auto [it, fresh] = state_->nodes.try_emplace(&at);
  if (!fresh) return it->second.get();
  it->second = std::make_unique<SchemaNode>();
  SchemaNode& node = *it->second;  // before what is below: schemas may hold themselves
  auto get = [this](const json::value& below) {
    return static_cast<const SchemaNode*>(Get(below));
  };
  for (const auto& member : at.as_object()) {
    const std::string_view key(member.key().data(), member.key().size());
    const json::value& v = member.value();
    if (key == "$ref") {
      node.ref_ = get(state_->document->at_pointer(v.as_string().subview(1)));
    } else if (key == "type") {
      if (v.is_string()) {
        node.types_ = TypeBitOf(v.get_string());
      } else {
        for (const json::value& one : v.as_array()) node.types_ |= TypeBitOf(one.as_string());
      }
    } else if (key == "enum") {
      node.enum_.assign(v.as_array().begin(), v.as_array().end());
    } else if (key == "pattern") {
      node.pattern_text_ = std::string(v.as_string());
      node.pattern_.emplace(node.pattern_text_, boost::regex::ECMAScript);
    } else if (key == "minimum") {
      node.minimum_ = NumberOf(at.get_object(), key);
    } else if (key == "maximum") {
      node.maximum_ = NumberOf(at.get_object(), key);
    } else if (key == "minLength") {
      node.min_length_ = v.to_number<size_t>();
    } else if (key == "maxLength") {
      node.max_length_ = v.to_number<size_t>();
    } else if (key == "minItems") {
      node.min_items_ = v.to_number<size_t>();
    } else if (key == "maxItems") {
      node.max_items_ = v.to_number<size_t>();
    } else if (key == "maxProperties") {
      node.max_properties_ = v.to_number<size_t>();
    } else if (key == "format") {
      if (v.as_string() != "date") throw std::runtime_error("schema: unknown format");
      node.date_ = true;
    } else if (key == "items") {
      node.items_ = get(v);
    } else if (key == "properties") {
      for (const auto& property : v.as_object())
        node.properties_.emplace(std::string(property.key()), get(property.value()));
    } else if (key == "required") {
      for (const json::value& name : v.as_array()) node.required_.emplace(name.as_string());
    } else if (key == "additionalProperties") {
      if (v.is_bool()) {
        node.closed_ = !v.get_bool();
      } else {
        node.additional_ = get(v);
      }
    } else if (key == "oneOf") {
      for (const json::value& one : v.as_array()) node.one_of_.push_back(get(one));
    } else if (key == "allOf") {
      for (const json::value& one : v.as_array()) node.all_of_.push_back(get(one));
    } else if (key == "default") {
      node.default_ = v.is_string() ? std::string(v.get_string()) : json::serialize(v);
    } else if (key != "description") {
      throw std::runtime_error("schema: unknown keyword " + std::string(key));
    }
  }
  return &node;
}

bool HasNul(const json::value& value) {
  if (const auto* text = value.if_string()) return text->find('\0') != json::string::npos;
  if (const auto* array = value.if_array())
    return std::any_of(array->begin(), array->end(), HasNul);
  if (const auto* object = value.if_object()) {
    return std::any_of(object->begin(), object->end(), [](const auto& member) {
      return member.key().find('\0') != json::string_view::npos || HasNul(member.value());
    });
  }
  return false;
}

}  // namespace canbao::service
