#include "service/http/target.h"

#include <algorithm>
#include <cstdint>

namespace canbao::service {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
  });
}

bool ParseQuery(std::string_view text, Target* to) {
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto name = PercentDecode(pair.substr(0, equals), true);
    auto value = PercentDecode(
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value || !IsUtf8(*name) || !IsUtf8(*value)) return false;
    if (HasControl(*name) || HasControl(*value)) return false;
    if (to->query.contains(*name)) {
      to->repeated.push_back(*name);
    } else {
      to->query.emplace(std::move(*name), std::move(*value));
    }
  }
  return true;
}

}  // namespace

std::optional<std::string> PercentDecode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    size_t more = 0;
    uint32_t value = 0;
    uint32_t least = 0;
    if ((lead & 0xE0) == 0xC0) {
      more = 1, value = lead & 0x1Fu, least = 0x80;
    } else if ((lead & 0xF0) == 0xE0) {
      more = 2, value = lead & 0x0Fu, least = 0x800;
    } else if ((lead & 0xF8) == 0xF0) {
      more = 3, value = lead & 0x07u, least = 0x10000;
    } else {
      return false;
    }
    if (i + more >= text.size()) return false;
    for (size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      value = value << 6 | (next & 0x3Fu);
    }
    // Overlong forms, surrogates, beyond Unicode.
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::optional<Target> ParseTarget(std::string_view text) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    const size_t slash = text.find('/');
    text = slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
    break;
  }
  if (!text.starts_with('/')) return std::nullopt;
  text = text.substr(0, text.find('#'));
  const size_t question = text.find('?');
  std::string_view path =
      text.substr(1, question == std::string_view::npos ? question : question - 1);
  Target target;
  for (;;) {
    const size_t end = path.find('/');
    auto segment = PercentDecode(path.substr(0, end), false);
    if (!segment || !IsUtf8(*segment) || HasControl(*segment)) return std::nullopt;
    target.path += '/';
    target.path += *segment;
    target.segments.push_back(std::move(*segment));
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
  }
  if (question != std::string_view::npos && !ParseQuery(text.substr(question + 1), &target))
    return std::nullopt;
  return target;
}

}  // namespace canbao::service
