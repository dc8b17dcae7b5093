"""Invented people without citizen numbers, in two files, and apart from them who is who.

    make_people.py --persons 1000000 --out FOLDER [--seed 1]

`register.csv`: at most one row a person. `scheme.csv`: none, one or two. `truth.csv`: id, person. Errors and
their rates: ERRORS below. Everything is drawn from the seed; the same seed gives the same bytes.

The names are already folded (simplified characters, no blanks), and the columns that a careful user of either
engine would prepare are there: surname and given name apart, toneless pinyin (`py`), the same with the
initials and finals that dialects confuse made one (`sound`), the characters of the given name in order
(`chars`), the prefecture. Preparing them is not timed for anybody.
"""
import argparse
import bisect
import csv
import datetime
import itertools
import pathlib
import random
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
YEAR = 2017  # of the delivery
HEADER = ["id", "name", "surname", "given", "chars", "py", "sound", "surname_py", "sex", "birth",
          "county", "prefecture", "phone", "employer", "household"]

# Per ten thousand rows of the schemes; the register makes a fifth of them.
ERRORS = {
    "name": {"homophone": 150, "shape": 40, "other": 30, "missing": 30, "extra": 10, "swapped": 20,
             "surname": 20},
    "birth": {"first_of_january": 150, "swapped": 50, "digit": 80, "year": 40, "lunar": 50,
              "none": 70},
    "sex": {"flipped": 30, "none": 300},
}
RENAMED = 30         # per ten thousand persons: the register has another given name
TWINS = 150          # per ten thousand children
OLD_DEFAULT = 300    # per ten thousand born before 1960: the 1st of January in every file

# The twenty most frequent with their share of the population in hundredths of a per cent (census of
# 2020, rounded); the rest share out what is left by rank.
SURNAMES = [("王", 720), ("李", 715), ("张", 675), ("刘", 510), ("陈", 450), ("杨", 320), ("黄", 230),
            ("赵", 220), ("吴", 205), ("周", 195), ("徐", 145), ("孙", 140), ("马", 130), ("朱", 125),
            ("胡", 120), ("郭", 115), ("何", 110), ("林", 105), ("高", 100), ("罗", 98)]
RARER_SURNAMES = (
    "郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱"
    "江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤单仇查解赖文洪季康施牛洛安温芦章鲁葛常耿关焦左倪俞"
    "樊柳祁舒包宁尚项詹欧凌邢颜梅翁骆殷庄聂纪路成伍辛佟谷冉翟岳祝裴卜柯童涂边喻时詹甘管鲍齐景车苗桂巫滕冷杭")
# By generation: born before 1960, before 1985, later. In order of frequency.
MALE = [
    "国德明文永华志生福荣玉金祥林忠贵春光成清长兴良新云发宝根万富士保学海庆树善元广家振山友喜全义正仁洪祖炳锡坤耀茂顺",
    "伟建军国志强勇华明平刚文涛斌辉东海峰永杰波林超鹏春新龙磊红庆民光忠武宏江飞凯旭俊利成生祥亮云宁卫正学振洪立新根良",
    "子浩宇轩俊杰涵博文泽嘉明天睿梓瑞昊一鑫晨家鹏皓逸凯志豪恩佳哲思远航诚毅铭煜然辰奕翔伟旭阳帆程霖安乐景熙承林",
]
FEMALE = [
    "秀英桂兰珍玉芳梅淑凤华莲金香素琴爱翠春云月美清彩菊荣瑞琼贞惠巧银花凡霞娥仙娣妹婉文静芬蓉雅碧莉珠萍锦连雪",
    "丽芳娟敏静艳燕红霞秀英玲萍梅娜华琴莉桂晓春海云玉兰丹洁婷慧彩雪凤琳颖琼珍淑萍蓉爱文晶佳欣倩蕾洋薇虹芬君瑞",
    "欣梓涵怡雨佳子诗婷琪思雅语悦妍可馨晨梦嘉一萱彤若晗艺瑶慧颖静琳心雪月诺瑾宁倩昕芸萌熙淇依婉钰妮灵清韵筱楠",
]


class Draw:
    """One of a list, by weights."""

    def __init__(self, values, weights):
        self.values, self.sums = values, list(itertools.accumulate(weights))

    def __call__(self, rng):
        return self.values[bisect.bisect(self.sums, rng.random() * self.sums[-1])]


def by_rank(values, power):
    return Draw(values, [1 / (r + 3) ** power for r in range(len(values))])


class Characters:
    """Readings and shapes of the common characters (the first level of GB 2312)."""

    def __init__(self):
        self.reading, self.alike, sounds, self.common = {}, {}, {}, []
        patterns = {}
        with open(ROOT / "data" / "names" / "characters.csv", encoding="utf-8") as f:
            for row in csv.DictReader(line for line in f if not line.startswith("#")):
                if not row["readings"]:
                    continue
                c = row["character"]
                self.reading[c] = row["readings"].split()[0]
                try:
                    code = c.encode("gb2312")
                except UnicodeEncodeError:
                    continue
                if not 0xB0 <= code[0] <= 0xD7:
                    continue
                self.common.append(c)
                sounds.setdefault(self.reading[c], []).append(c)
                keys = row["cangjie"]
                for i in range(len(keys)) if len(keys) > 2 else ():
                    patterns.setdefault((i, keys[:i] + "." + keys[i + 1:]), []).append(c)
        self.homophones = {c: [x for x in sounds[self.reading[c]] if x != c] for c in self.common}
        for same in patterns.values():
            for c in same:
                self.alike.setdefault(c, []).extend(x for x in same if x != c)
        self.surname = {}
        with open(ROOT / "data" / "names" / "surnames.csv", encoding="utf-8") as f:
            for row in csv.DictReader(line for line in f if not line.startswith("#")):
                self.surname[row["surname"]] = row["reading"]
        self.memo = {}

    def pinyin(self, surname, given):
        """surname's reading, the whole name's, and the whole name's with what dialects confuse made one."""
        key = surname + given
        if key not in self.memo:
            parts = [self.surname.get(surname) or self.reading.get(surname, surname)]
            parts += [self.reading.get(c, c) for c in given]
            self.memo[key] = parts[0], "".join(parts), "".join(map(sound_of, parts))
        return self.memo[key]


def sound_of(syllable):
    """zh/z, ch/c, sh/s, n/l, an/ang, en/eng, in/ing."""
    syllable = re.sub(r"^([zcs])h", r"\1", syllable)
    syllable = re.sub(r"^l(?=[a-z])", "n", syllable)
    return re.sub(r"([aei])ng$", r"\1n", syllable)


class World:
    def __init__(self, persons, seed):
        self.rng = random.Random(seed)
        self.chars = Characters()
        rest = [(c, 5272 * w) for c, w in zip(RARER_SURNAMES, self.shares(len(RARER_SURNAMES)))]
        self.surnames = Draw([c for c, _ in SURNAMES + rest], [w for _, w in SURNAMES + rest])
        self.given = [[by_rank(chars, 0.8) for chars in lists] for lists in (MALE, FEMALE)]
        self.counties = [f"42{p:02d}{c:02d}" for p in range(1, 9) for c in range(21, 30)]
        self.county = by_rank(self.counties, 0.4)
        self.employers = by_rank([f"E{i:07d}" for i in range(max(20, persons // 40))], 0.9)
        self.agents = [self.new_phone() for _ in range(max(10, persons // 5000))]
        self.people = 0

    @staticmethod
    def shares(n):
        raw = [1 / (r + 20) for r in range(n)]
        return [x / sum(raw) for x in raw]

    def chance(self, per_ten_thousand):
        return self.rng.random() * 10000 < per_ten_thousand

    def new_phone(self):
        return "1" + self.rng.choice("3578") + f"{self.rng.randrange(10 ** 9):09d}"

    def given_name(self, male, year):
        generation = 0 if year < 1960 else 1 if year < 1985 else 2
        draw = self.given[0 if male else 1][generation]
        single = (0.08, 0.3, 0.15)[generation]
        return draw(self.rng) if self.rng.random() < single else draw(self.rng) + draw(self.rng)

    def birthday(self, year):
        day = datetime.date(year, 1, 1) + datetime.timedelta(self.rng.randrange(365))
        if year < 1960 and self.chance(OLD_DEFAULT):
            day = datetime.date(year, 1, 1)
        return day

    def person(self, surname, year, home, male=None, birth=None):
        male = self.rng.random() < 0.51 if male is None else male
        year = min(max(year, 1928), YEAR)
        birth = birth or self.birthday(year)
        age = YEAR - birth.year
        works = 20 <= age < 60 and self.rng.random() < 0.45
        self.people += 1
        return {"person": self.people, "surname": surname, "given": self.given_name(male, birth.year),
                "male": male, "birth": birth, "age": age, **home,
                "phone": self.new_phone() if 14 <= age < 78 and self.rng.random() < 0.92 else "",
                "employer": self.employers(self.rng) if works else ""}

    def household(self, number):
        """A couple or one of it, their children, sometimes a parent: one address, one county."""
        rng = self.rng
        home = {"county": self.county(rng), "household": f"{number:09d}"}
        father, mother = self.surnames(rng), self.surnames(rng)
        year = rng.choices(range(1930, 1998), [10 + min(y - 1930, 1998 - y) for y in range(1930, 1998)])[0]
        members = [self.person(father, year, home, male=True)]
        if rng.random() < 0.8:
            members.append(self.person(mother, year + rng.randrange(-3, 5), home, male=False))
        born = year + rng.randrange(21, 31)
        while born <= YEAR and rng.random() < 0.62 and len(members) < 6:
            child = self.person(father, born, home)
            members.append(child)
            if self.chance(TWINS):
                twin = self.person(father, born, home, birth=child["birth"],
                                   male=child["male"] if rng.random() < 0.65 else not child["male"])
                # Parents like names with one character in common.
                if len(child["given"]) == 2 and rng.random() < 0.5:
                    twin["given"] = child["given"][0] + twin["given"][-1]
                members.append(twin)
            born += rng.randrange(1, 7)
        if rng.random() < 0.15:
            members.append(self.person(father, year - rng.randrange(20, 35), home))
        phones = [m["phone"] for m in members if m["phone"]]
        for m in members:
            if not m["phone"] and phones and rng.random() < 0.8:
                m["phone"] = phones[0]
        return members

    def damage_name(self, surname, given, kind):
        rng, chars = self.rng, self.chars
        at = rng.randrange(len(given))

        def put(c):
            return surname, given[:at] + c + given[at + 1:]

        if kind == "homophone" and chars.homophones.get(given[at]):
            return put(rng.choice(chars.homophones[given[at]]))
        if kind == "shape" and chars.alike.get(given[at]):
            return put(rng.choice(chars.alike[given[at]]))
        if kind == "other":
            return put(rng.choice(chars.common))
        if kind == "missing" and len(given) == 2:
            return put("")
        if kind == "extra" and len(given) == 1:
            return surname, given + rng.choice(chars.common)
        if kind == "swapped" and len(given) == 2:
            return surname, given[::-1]
        if kind == "surname" and chars.homophones.get(surname):
            return rng.choice(chars.homophones[surname]), given
        return surname, given

    def damage_birth(self, birth, kind):
        rng = self.rng
        text = birth.isoformat()
        if kind == "none":
            return ""
        if kind == "first_of_january":
            return f"{birth.year}-01-01"
        if kind == "swapped" and birth.day <= 12:
            return f"{birth.year}-{birth.day:02d}-{birth.month:02d}"
        if kind == "year":
            text = f"{birth.year + rng.choice((-1, 1))}{text[4:]}"
        elif kind == "lunar":  # a lunar date lies three to seven weeks before the solar one
            text = (birth - datetime.timedelta(rng.randrange(20, 51))).isoformat()
        elif kind == "digit":
            at = rng.choice((3, 6, 8, 9))
            text = text[:at] + str(rng.randrange(10)) + text[at + 1:]
        try:
            datetime.date.fromisoformat(text)
        except ValueError:
            return birth.isoformat()
        return text

    def kind_of_error(self, field, rate):
        roll = self.rng.random() * 10000
        for kind, share in ERRORS[field].items():
            roll -= share * rate
            if roll < 0:
                return kind
        return None

    def row(self, number, p, rate, county, phone, employer, household):
        surname, given = p["surname"], p["given"]
        kind = self.kind_of_error("name", rate)
        if kind:
            surname, given = self.damage_name(surname, given, kind)
        kind = self.kind_of_error("birth", rate)
        birth = self.damage_birth(p["birth"], kind) if kind else p["birth"].isoformat()
        kind = self.kind_of_error("sex", rate)
        sex = "" if kind == "none" else str(1 + (p["male"] == (kind == "flipped")))
        surname_py, py, sound = self.chars.pinyin(surname, given)
        return [number, surname + given, surname, given, "".join(sorted(given)), py, sound, surname_py,
                sex, birth, county, county[:4], phone, employer, household]

    def register_row(self, number, p):
        rng = self.rng
        if self.chance(RENAMED):
            p = {**p, "given": self.given_name(p["male"], p["birth"].year)}
        phone = ""
        if rng.random() < 0.6:
            phone = p["phone"] if rng.random() < 0.8 else self.new_phone()
        employer = p["employer"] if rng.random() < 0.1 else ""
        return self.row(number, p, 0.2, p["county"], phone, employer, p["household"])

    def scheme_row(self, number, p):
        rng = self.rng
        county = p["county"]
        if rng.random() < (0.25 if p["employer"] else 0.06):
            near = [c for c in self.counties if c[:4] == county[:4]]
            county = rng.choice(near) if rng.random() < 0.6 else self.county(rng)
        phone = ""
        if rng.random() < 0.75:
            roll = rng.random()
            phone = (p["phone"] if roll < 0.84 else self.new_phone() if roll < 0.98 else
                     rng.choice(self.agents))
            if phone and rng.random() < 0.01:
                at = rng.randrange(3, 11)
                phone = phone[:at] + str(rng.randrange(10)) + phone[at + 1:]
        employer = p["employer"]
        if employer and rng.random() < 0.08:
            employer = self.employers(rng)
        household = ""
        if not employer and rng.random() < 0.3:
            household = p["household"] if rng.random() < 0.95 else f"{rng.randrange(10 ** 6):09d}"
        return self.row(number, p, 1, county, phone, employer, household)


def make(persons, folder, seed):
    world = World(persons, seed)
    rng = world.rng
    folder.mkdir(parents=True, exist_ok=True)
    rows = {"register": [], "scheme": []}
    truth = []
    for number in itertools.count(1):
        for p in world.household(number):
            if p["person"] > persons:
                continue
            if rng.random() < 0.96:
                rows["register"].append((p["person"], world.register_row(None, p)))
            for share in (0.55, 0.2):
                if rng.random() < share:
                    rows["scheme"].append((p["person"], world.scheme_row(None, p)))
        if world.people >= persons:
            break
    for name, lines in rows.items():
        rng.shuffle(lines)
        with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as f:
            out = csv.writer(f, lineterminator="\n")
            out.writerow(HEADER)
            for i, (person, line) in enumerate(lines, 1):
                line[0] = f"{name[0]}{i}"
                out.writerow(line)
                truth.append((line[0], person))
    with open(folder / "truth.csv", "w", encoding="utf-8", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([("id", "person"), *truth])
    return {name: len(lines) for name, lines in rows.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(make(args.persons, args.out, args.seed))


if __name__ == "__main__":
    main()
