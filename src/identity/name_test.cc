#include "identity/name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace canbao::identity {
namespace {

std::string Fold(std::string_view utf8) {
  FoldedName name;
  FoldName(utf8, &name);
  return ToUtf8(name);
}

NameAgreement Compare(std::string_view a, std::string_view b) {
  FoldedName x;
  FoldedName y;
  FoldName(a, &x);
  FoldName(b, &y);
  const NameAgreement agreement = CompareNames(x, y);
  EXPECT_EQ(agreement, CompareNames(y, x)) << "agreement must not depend on the order";
  EXPECT_EQ(agreement == NameAgreement::kExact, CodeOf(x) == CodeOf(y) && x.length > 0);
  return agreement;
}

TEST(FoldName, BlanksWidthAndCase) {
  EXPECT_EQ(Fold("张三"), "张三");
  EXPECT_EQ(Fold(" 张　三\t"), "张三");
  EXPECT_EQ(Fold("张\xE2\x80\x8B三\xEF\xBB\xBF"), "张三");
  EXPECT_EQ(Fold("Ｊｏｈｎ Smith"), "JOHNSMITH");
  EXPECT_EQ(Fold("José Müller-O'Brien"), "JOSEMULLEROBRIEN");
  EXPECT_EQ(Fold("Jose\xCC\x81"), "JOSE");
  EXPECT_EQ(Fold("张三？"), "张三?");
  EXPECT_EQ(Fold(""), "");
}

TEST(FoldName, EverySeparatorIsTheSame) {
  for (const char* dot :
       {"·", "•", "‧", "・", "･", "⋅", "∙", "᛫", "．", ".", "。", " ", "　", ""}) {
    EXPECT_EQ(Fold(std::string("艾合买提") + dot + "玉山"), "艾合买提玉山") << dot;
  }
  FoldedName name;
  FoldName("艾合买提·玉山", &name);
  EXPECT_EQ(name.breaks, 1u << 4);
  FoldName("·张三·", &name);
  EXPECT_EQ(name.breaks & 0b11, 0u);
}

TEST(FoldName, TraditionalVariantsCompatibility) {
  EXPECT_EQ(Fold("羅珍梅"), "罗珍梅");
  EXPECT_EQ(Fold("馮華強"), "冯华强");
  EXPECT_EQ(Fold("張鬱"), Fold("张郁"));
  EXPECT_EQ(Fold("李峯"), "李峰");
  EXPECT_EQ(Fold("周羣"), "周群");
  EXPECT_EQ(Fold("\xEF\xA4\x8A"), Fold("金")) << "compatibility ideograph U+F90A";
  EXPECT_EQ(Fold("⾦"), Fold("金")) << "Kangxi radical";
}

TEST(FoldName, PrivateUseCharacters) {
  EXPECT_EQ(Fold("\xEE\xA0\x9A利"), Fold("㑳利"));      // U+E81A
  EXPECT_EQ(Fold("单群\xEE\xA0\xAA"), Fold("单群㧐"));  // U+E82A
  EXPECT_EQ(Fold("王英\xEE\xA1\xA3"), Fold("王英䶮"));  // U+E863
  EXPECT_EQ(Fold("\xEE\xA0\x96"), Fold("𠂇"));          // U+E816, beyond the BMP
  EXPECT_EQ(Fold("\xEE\xA0\x9E"), Fold("龴"));          // U+E81E
  EXPECT_EQ(Fold("\xEE\xA1\xA4"), Fold("龻"));          // U+E864
}

TEST(FoldName, BeyondTheBmpAndInvalid) {
  EXPECT_EQ(Fold("王𪚥"), "王𪚥");
  EXPECT_EQ(Fold("\xFF张\xE5\xBC"), "\xEF\xBF\xBD张\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Fold("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a lone surrogate";
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "买";
  FoldedName name;
  FoldName(longest, &name);
  EXPECT_EQ(name.length, kMaxNameCodePoints);
}

TEST(FoldName, IsIdempotentForEveryCharacter) {
  for (char32_t c = 1; c < 0x30000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    FoldedName one{{c}, 1, 0};
    const std::string once = Fold(ToUtf8(one));
    ASSERT_EQ(Fold(once), once) << std::hex << static_cast<uint32_t>(c);
    FoldedName folded;
    FoldName(once, &folded);
    ASSERT_LE(folded.length, 1);
  }
}

TEST(NameCode, PacksUpToFourCharacters) {
  for (const char* text : {"王", "张三", "欧阳修", "欧阳明月", "JOHN"}) {
    const NameCode code = FoldToCode(text);
    EXPECT_FALSE(code.is_hash()) << text;
    FoldedName name;
    Unpack(code, &name);
    EXPECT_EQ(ToUtf8(name), text);
  }
  EXPECT_FALSE(FoldToCode("").has_value());
  EXPECT_FALSE(FoldToCode(" · ").has_value());
  EXPECT_TRUE(FoldToCode("买买提乌斯曼").is_hash());
  EXPECT_TRUE(FoldToCode("王𪚥").is_hash());
  EXPECT_EQ(FoldToCode("买买提·乌斯曼"), FoldToCode("买买提 乌斯曼"));
  EXPECT_NE(FoldToCode("买买提乌斯曼"), FoldToCode("买买提乌斯满"));
  EXPECT_NE(FoldToCode("张三"), FoldToCode("三张"));
  FoldedName none;
  Unpack(FoldToCode("买买提乌斯曼"), &none);
  EXPECT_EQ(none.length, 0);
}

struct Pair {
  const char* a;
  const char* b;
};

TEST(CompareNames, Exact) {
  for (const Pair& p : std::initializer_list<Pair>{{"张三", "张 三"},
                                                   {"罗珍梅", "羅珍梅"},
                                                   {"库尔班·热合曼", "库尔班 热合曼"},
                                                   {"拉姆·旺堆", "拉姆。旺堆"},
                                                   {"SMITH JOHN", "Ｓmith　John"}}) {
    EXPECT_EQ(Compare(p.a, p.b), NameAgreement::kExact) << p.a << ' ' << p.b;
  }
}

TEST(CompareNames, Alike) {
  for (const Pair& p : std::initializer_list<Pair>{
           {"王磊", "汪磊"},        // homophone surname
           {"张婷", "张庭"},        // homophone
           {"陆嘉丽", "陆嘉莉"},    // homophone
           {"王伟", "王韦"},        // homophone and shape
           {"刘霞丽", "列霞丽"},    // one character of several
           {"范宇", "范字"},        // shape
           {"卢明", "卢朋"},        // shape
           {"王佳", "王住"},        // shape
           {"李坤", "李堃"},        // variant of the dictionaries
           {"韩涛", "韩祷"},        // shape
           {"王清华", "王青桦"},    // two, each sounding alike
           {"田婷欣", "田欣婷"},    // swapped
           {"黄翠琼", "黄翠"},      // missing
           {"黄琼", "黄翠琼"},      // missing
           {"欧阳明月", "欧阳明"},  // missing
           {"赵芳翀", "赵芳?"},     // mark
           {"㑳利", "□利"},         // mark for the surname
           {"张清㳠", "张清＊"},    // full width mark
           {"张清㳠", "张清\xEF\xBF\xBD"},
           {"张清㳠", "张清??"},            // two bytes lost
           {"张清㳠", "张清\xEE\x80\x85"},  // private use that no table knows
           {"艾合买提·阿布都拉", "艾合买提·阿不都拉"},
           {"艾合买提·阿布都拉", "艾合买提"},
           {"拉姆·旺堆", "拉姆"},
           {"JOHN SMITH", "JOHN SMYTH"}}) {
    EXPECT_EQ(Compare(p.a, p.b), NameAgreement::kAlike) << p.a << ' ' << p.b;
  }
}

TEST(CompareNames, Unlike) {
  for (const Pair& p : std::initializer_list<Pair>{{"张伟", "张强"},
                                                   {"张伟", "李伟"},
                                                   {"张三", ""},
                                                   {"", ""},
                                                   {"王小明", "王大红"},
                                                   {"王小明", "李大明"},
                                                   {"张伟", "伟张"},
                                                   {"黄翠琼", "翠琼"},
                                                   {"张三", "张"},
                                                   {"张伟强", "张?丽"},
                                                   {"??", "张三"},
                                                   {"???", "张三"},
                                                   {"李?", "张三"},
                                                   {"艾合买提·阿布都拉", "艾合买提·玉山"},
                                                   {"JOHN SMITH", "MARY SMITH"}}) {
    EXPECT_EQ(Compare(p.a, p.b), NameAgreement::kUnlike) << p.a << ' ' << p.b;
  }
}

TEST(CompareNames, TwoRandomPeopleAreRarelyAlike) {
  // Common characters of given names and common surnames, drawn evenly: harder than life for
  // names that share a surname.
  const std::vector<std::string> surnames = {"王", "李", "张", "刘", "陈", "杨", "黄", "赵",
                                             "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
                                             "何", "林", "罗", "高", "郑", "梁", "谢", "宋"};
  const std::vector<std::string> given = {
      "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰",
      "娟", "涛", "明", "超", "秀", "霞", "平", "刚", "桂", "英", "华", "玉", "萍",
      "红", "玲", "辉", "建", "国", "文", "斌", "宇", "浩", "凯", "健", "俊", "帆",
      "雪", "帅", "慧", "旭", "宁", "婷", "雷", "波", "鹏", "海", "鑫", "林", "峰",
      "春", "梅", "兰", "燕", "博", "志", "永", "东", "晨", "欣", "佳", "瑞"};
  std::mt19937_64 rng(7);
  auto pick = [&](const std::vector<std::string>& from) { return from[rng() % from.size()]; };
  int alike = 0;
  int alike_same_surname = 0;
  constexpr int kPairs = 20000;
  for (int i = 0; i < kPairs; ++i) {
    auto name = [&](const std::string& surname) {
      return surname + pick(given) + (rng() % 3 != 0 ? pick(given) : "");
    };
    const std::string s = pick(surnames);
    alike += Compare(name(pick(surnames)), name(pick(surnames))) != NameAgreement::kUnlike;
    alike_same_surname += Compare(name(s), name(s)) != NameAgreement::kUnlike;
  }
  EXPECT_LT(alike, kPairs * 6 / 1000);
  EXPECT_LT(alike_same_surname, kPairs * 6 / 100);
}

TEST(Pinyin, SurnamesHaveTheirOwnReading) {
  EXPECT_EQ(Pinyin("张三丰"), "zhang san feng");
  EXPECT_EQ(Pinyin("单田芳"), "shan tian fang");
  EXPECT_EQ(Pinyin("王单"), "wang dan");
  EXPECT_EQ(Pinyin("曾国藩"), "zeng guo fan");
  EXPECT_EQ(Pinyin("仇英"), "qiu ying");
  EXPECT_EQ(Pinyin("查良镛"), "zha liang yong");
  EXPECT_EQ(Pinyin("解缙"), "xie jin");
  EXPECT_EQ(Pinyin("任长霞"), "ren chang xia");
  EXPECT_EQ(Pinyin("区小丽"), "ou xiao li");
  EXPECT_EQ(Pinyin("朴明"), "piao ming");
  EXPECT_EQ(Pinyin("尉迟恭"), "yu chi gong");
  EXPECT_EQ(Pinyin("尉健行"), "wei jian xing");
  EXPECT_EQ(Pinyin("万俟卨"), "mo qi xie");
  EXPECT_EQ(Pinyin("單雄信"), "shan xiong xin") << "traditional";
  EXPECT_EQ(Pinyin("歐陽修"), "ou yang xiu");
  EXPECT_EQ(Pinyin("吕布"), "lv bu");
  EXPECT_EQ(Pinyin("乾隆"), "qian long") << "not the reading of what it folds to";
}

TEST(Pinyin, OtherScripts) {
  EXPECT_EQ(Pinyin("艾合买提·玉山"), "ai he mai ti yu shan");
  EXPECT_EQ(Pinyin("John  Smith"), "john smith");
  EXPECT_EQ(Pinyin("王Tom"), "wang tom");
  EXPECT_EQ(Pinyin(""), "");
  EXPECT_EQ(PinyinInitials("张晓峰"), "zxf");
  EXPECT_EQ(PinyinInitials("单田芳"), "stf");
  EXPECT_EQ(PinyinInitials("John Smith"), "js");
}

}  // namespace
}  // namespace canbao::identity
