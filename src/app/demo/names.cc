#include "app/demo/names.h"

#include <array>
#include <vector>

#include "base/bytes.h"

namespace canbao::demo {
namespace {

// By frequency; drawn by about 1/(rank+3)^0.9, which gives 王 6 % as in the census.
constexpr std::string_view kSurnames[] = {
    "王", "李", "张", "刘", "陈", "杨", "黄",   "赵",   "吴",   "周",  "徐", "孙", "马", "朱",
    "胡", "郭", "何", "高", "林", "罗", "郑",   "梁",   "谢",   "宋",  "唐", "许", "韩", "冯",
    "邓", "曹", "彭", "曾", "肖", "田", "董",   "袁",   "潘",   "于",  "蒋", "蔡", "余", "杜",
    "叶", "程", "苏", "魏", "吕", "丁", "任",   "沈",   "姚",   "卢",  "姜", "崔", "钟", "谭",
    "陆", "汪", "范", "金", "石", "廖", "贾",   "夏",   "韦",   "付",  "方", "白", "邹", "孟",
    "熊", "秦", "邱", "江", "尹", "薛", "闫",   "段",   "雷",   "侯",  "龙", "史", "陶", "黎",
    "贺", "顾", "毛", "郝", "龚", "邵", "万",   "钱",   "严",   "覃",  "武", "戴", "莫", "孔",
    "向", "汤", "单", "仇", "查", "解", "欧阳", "令狐", "司马", "上官"};

constexpr std::string_view kMaleGiven[] = {
    "伟", "强", "磊", "军", "勇", "涛", "杰", "明", "超", "刚", "平", "辉", "鹏",
    "斌", "波", "宇", "浩", "凯", "建", "国", "华", "文", "志", "海", "林", "峰",
    "龙", "亮", "东", "成", "永", "新", "生", "德", "荣", "根", "祥", "福", "忠",
    "春", "威", "俊", "晨", "嘉", "旭", "洋", "泽", "博", "子", "轩", "逸", "诚"};
constexpr std::string_view kFemaleGiven[] = {
    "芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "秀", "英", "桂", "玉", "兰",
    "红", "梅", "萍", "玲", "燕", "琴", "珍", "莉", "婷", "雪", "洁", "慧", "云",
    "莹", "蕾", "倩", "琳", "欣", "怡", "涵", "梦", "悦", "颖", "诗", "语", "佳",
    "雨", "淑", "凤", "香", "爱", "群", "清", "美", "阿", "金", "彩", "巧", "晶"};
constexpr std::string_view kRareGiven[] = {"㑳", "㧐", "䶮", "㧟", "㳠", "𬭚", "𫖯",
                                           "𬒈", "𣲗", "𫘧", "翀", "煊", "甯"};

constexpr std::string_view kDottedFirst[] = {"库尔班", "买买提", "艾合买提", "古丽努尔", "阿依努尔",
                                             "叶尔兰", "扎西",   "旦增",     "多吉",     "玉素甫"};
constexpr std::string_view kDottedLast[] = {"热合曼", "乌斯曼", "依布拉音", "阿布都拉", "哈力木",
                                            "木拉提", "尼玛",   "旺堆",     "群培",     "托合提"};
constexpr std::string_view kLatinFirst[] = {"PAUL", "ANNA MARIA", "JOHN PETER", "SOFIA", "MIGUEL"};
constexpr std::string_view kLatinLast[] = {"LINDQUIST", "MORALES", "TANAKA", "OKONKWO",
                                           "SCHNEIDER"};

struct Pair {
  std::string_view from, to;
};
constexpr Pair kHomophones[] = {
    {"伟", "维"}, {"丽", "莉"}, {"莉", "丽"}, {"静", "靖"}, {"杰", "洁"}, {"洁", "杰"},
    {"勇", "永"}, {"永", "勇"}, {"军", "钧"}, {"浩", "昊"}, {"波", "博"}, {"博", "波"},
    {"秀", "绣"}, {"涛", "滔"}, {"艳", "燕"}, {"燕", "艳"}, {"娟", "鹃"}, {"明", "鸣"},
    {"平", "萍"}, {"萍", "平"}, {"辉", "晖"}, {"斌", "彬"}, {"宇", "羽"}, {"建", "健"},
    {"华", "桦"}, {"文", "雯"}, {"志", "智"}, {"林", "琳"}, {"琳", "林"}, {"成", "诚"},
    {"诚", "成"}, {"新", "欣"}, {"欣", "新"}, {"生", "声"}, {"荣", "蓉"}, {"红", "宏"},
    {"梅", "玫"}, {"珍", "真"}, {"云", "芸"}, {"颖", "影"}, {"佳", "嘉"}, {"嘉", "佳"},
    {"雨", "语"}, {"语", "雨"}, {"清", "青"}, {"威", "伟"}, {"旭", "绪"}, {"婷", "庭"},
    {"英", "瑛"}, {"俊", "骏"}, {"玉", "裕"}, {"磊", "蕾"}, {"蕾", "磊"}};
constexpr Pair kShapes[] = {{"刘", "列"}, {"陈", "阵"}, {"宇", "字"}, {"明", "朋"}, {"张", "涨"},
                            {"佳", "住"}, {"浩", "洁"}, {"涛", "祷"}, {"强", "弶"}, {"石", "右"},
                            {"晴", "睛"}, {"侯", "候"}, {"日", "曰"}};
constexpr Pair kTraditional[] = {
    {"陈", "陳"}, {"刚", "剛"}, {"张", "張"}, {"刘", "劉"}, {"丽", "麗"}, {"吴", "吳"},
    {"罗", "羅"}, {"孙", "孫"}, {"冯", "馮"}, {"强", "強"}, {"华", "華"}, {"红", "紅"},
    {"军", "軍"}, {"辉", "輝"}, {"静", "靜"}, {"诗", "詩"}, {"杨", "楊"}, {"赵", "趙"},
    {"马", "馬"}, {"郑", "鄭"}, {"许", "許"}, {"韩", "韓"}, {"邓", "鄧"}, {"龙", "龍"},
    {"国", "國"}, {"东", "東"}, {"云", "雲"}, {"兰", "蘭"}, {"凤", "鳳"}, {"爱", "愛"},
    {"伟", "偉"}, {"涛", "濤"}, {"杰", "傑"}, {"鹏", "鵬"}, {"莹", "瑩"}};
constexpr Pair kVariants[] = {{"峰", "峯"}, {"群", "羣"}, {"甯", "宁"}, {"煊", "暄"}};
constexpr Pair kPua[] = {{"㑳", "\uE81A"}, {"㧐", "\uE82A"}, {"䶮", "\uE863"}, {"㧟", "\uE828"}};
constexpr std::string_view kDots[] = {"•", "∙", "⋅", "‧", "･", "．", ".", " ", "。"};
constexpr std::string_view kMarks[] = {"?", "□", "？", "*"};

// 4096 slots share out 1/(rank+3)^0.9 (integer approximation), so a surname is one table look-up.
struct SurnameTable {
  std::array<uint8_t, 4096> slot;
  SurnameTable() {
    constexpr size_t n = std::size(kSurnames);
    std::array<uint64_t, n> weight;
    uint64_t total = 0;
    uint64_t w = 1u << 24;
    for (size_t r = 0; r < n; ++r) {
      weight[r] = w;
      total += w;
      w = w * (100 * (r + 4) + 5) / (100 * (r + 4) + 95);  // (rank/(rank+1))^0.9
    }
    uint64_t cumulative = 0;
    size_t at = 0;
    for (size_t r = 0; r < n; ++r) {
      cumulative += weight[r];
      const size_t end = r + 1 == n ? slot.size() : slot.size() * cumulative / total;
      for (; at < end; ++at) slot[at] = static_cast<uint8_t>(r);
    }
  }
};

std::vector<std::string_view> Characters(std::string_view utf8) {
  std::vector<std::string_view> out;
  for (size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<uint8_t>(utf8[i]);
    const size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    out.push_back(utf8.substr(i, n));
    i += n;
  }
  return out;
}

template <size_t N>
bool ReplaceOne(std::vector<std::string_view>* chars, const Pair (&pairs)[N], Rng* rng, bool all) {
  const size_t first = rng->Below(static_cast<uint32_t>(chars->size()));
  bool any = false;
  for (size_t k = 0; k < chars->size(); ++k) {
    auto& c = (*chars)[(first + k) % chars->size()];
    for (const Pair& pair : pairs) {
      if (c == pair.from) {
        c = pair.to;
        any = true;
        break;
      }
    }
    if (any && !all) return true;
  }
  return any;
}

bool IsRare(std::string_view c) {
  for (std::string_view rare : kRareGiven) {
    if (c == rare) return true;
  }
  return false;
}

}  // namespace

void MakeName(uint64_t family, bool male, int birth_year, bool foreigner, Rng* rng,
              PersonName* name) {
  static const SurnameTable kTable;
  name->length = 0;
  name->dotted = name->rare = name->latin = false;
  auto append = [&](std::string_view part) {
    CopyBytes(name->text + name->length, part.data(), part.size());
    name->length = static_cast<uint8_t>(name->length + part.size());
  };
  const uint64_t draw = rng->Next();
  if (foreigner) {
    name->latin = true;
    append(kLatinLast[draw % std::size(kLatinLast)]);
    append(" ");
    append(kLatinFirst[(draw >> 16) % std::size(kLatinFirst)]);
    return;
  }
  if (draw % 1000 < 7) {  // seven in a thousand, reference §7
    name->dotted = true;
    append(kDottedFirst[(draw >> 16) % std::size(kDottedFirst)]);
    append("·");
    append(kDottedLast[(draw >> 32) % std::size(kDottedLast)]);
    return;
  }
  append(kSurnames[kTable.slot[family & 4095]]);
  // The young and the old carry other characters: the pool is a window that moves with the year.
  const size_t shift = birth_year < 1960 ? 0 : birth_year < 1985 ? 8 : birth_year < 2000 ? 12 : 20;
  auto given = [&](uint32_t r) {
    const size_t at = shift + r % 32;
    append(male ? kMaleGiven[at] : kFemaleGiven[at]);
  };
  given(static_cast<uint32_t>(draw >> 10) & 1023);
  if ((draw >> 20 & 15) < 13) {
    if ((draw >> 24 & 1023) < 3) {
      name->rare = true;
      append(kRareGiven[(draw >> 34 & 1023) % std::size(kRareGiven)]);
    } else {
      given(static_cast<uint32_t>(draw >> 44) & 1023);
    }
  }
}

std::string_view NameOf(NameDamage damage) {
  switch (damage) {
    case NameDamage::kNone:
      return "";
    case NameDamage::kDot:
      return "name_dot";
    case NameDamage::kSpace:
      return "name_space";
    case NameDamage::kTraditional:
      return "name_traditional";
    case NameDamage::kVariantForm:
      return "name_variant_form";
    case NameDamage::kPua:
      return "name_pua";
    case NameDamage::kHomophone:
      return "name_homophone";
    case NameDamage::kShape:
      return "name_shape";
    case NameDamage::kMissingChar:
      return "name_missing_char";
    case NameDamage::kRareMark:
      return "name_rare_mark";
    case NameDamage::kSwap:
      return "name_swap";
  }
  return "";
}

bool DamageName(std::string_view name, NameDamage damage, Rng* rng, std::string* out) {
  std::vector<std::string_view> chars = Characters(name);
  const bool dotted = name.find("·") != std::string_view::npos;
  const bool latin = static_cast<uint8_t>(name[0]) < 0x80;
  if (damage == NameDamage::kDot) {
    if (!dotted) return false;
    for (auto& c : chars) {
      if (c == "·") c = kDots[rng->Below(std::size(kDots))];
    }
  } else if (dotted || latin) {
    return false;
  } else {
    switch (damage) {
      case NameDamage::kSpace: {
        const std::string_view gap = rng->Below(2) == 0 ? " " : "\u3000";
        chars.insert(chars.begin() + 1, gap);
        break;
      }
      case NameDamage::kTraditional:
        if (!ReplaceOne(&chars, kTraditional, rng, true)) return false;
        break;
      case NameDamage::kVariantForm:
        if (!ReplaceOne(&chars, kVariants, rng, false)) return false;
        break;
      case NameDamage::kPua:
        if (!ReplaceOne(&chars, kPua, rng, true)) return false;
        break;
      case NameDamage::kHomophone:
        if (chars.size() < 3 || !ReplaceOne(&chars, kHomophones, rng, false)) return false;
        break;
      case NameDamage::kShape:
        if (chars.size() < 3 || !ReplaceOne(&chars, kShapes, rng, false)) return false;
        break;
      case NameDamage::kMissingChar:
        if (chars.size() != 3) return false;
        chars.pop_back();
        break;
      case NameDamage::kRareMark: {
        bool any = false;
        for (auto& c : chars) {
          if (!any && IsRare(c)) {
            c = kMarks[rng->Below(3)];
            any = true;
          }
        }
        if (!any) return false;
        break;
      }
      case NameDamage::kSwap:
        if (chars.size() != 3 || chars[1] == chars[2]) return false;
        std::swap(chars[1], chars[2]);
        break;
      default:
        return false;
    }
  }
  out->clear();
  for (std::string_view c : chars) out->append(c);
  return true;
}

}  // namespace canbao::demo
