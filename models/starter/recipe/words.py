"""The words of the captions: every attribute's values with their English and Chinese names.

The first name of each value is its plainest one. Knows nothing of grammar (captions.py) or of pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The ways to say one value: nouns or adjectives, without article."""

    en: tuple[str, ...]
    zh: tuple[str, ...]


def _table(**rows: str) -> Mapping[str, Names]:
    """`value="a/b | 甲/乙"` as a mapping from value to Names."""
    table = {}
    for value, row in rows.items():
        en, zh = row.split(" | ")
        table[value] = Names(tuple(en.split("/")), tuple(zh.split("/")))
    return table


PLACES = _table(
    lake="lake/lakeside/lake shore/pond | 湖泊/湖/湖边/湖水/池塘",
    forest="forest/woods/woodland | 森林/树林/林间/林地",
    mountains="mountains/mountain range/peaks/mountain landscape | 山脉/群山/山峰/高山/雪山",
    desert="desert/sand dunes/dunes | 沙漠/沙丘/荒漠",
    city="city skyline/city/skyline/skyscrapers/cityscape/downtown | 城市天际线/城市/天际线/摩天大楼/都市",
    beach="beach/seashore/coast/sandy beach/shore | 海滩/沙滩/海岸/海边",
    meadow="meadow/grassland/flower field/green hills/field | 草地/草原/花田/田野/草坡",
    village="village/small town/hamlet/cottages | 村庄/小镇/村落/乡村",
    harbour="harbour/harbor/port/sea harbour/pier | 港口/海港/码头/港湾",
)
TIMES = _table(
    day="day/daytime/daylight/noon/morning | 白天/白昼/中午/上午/日间",
    sunset="sunset/dawn/sunrise/dusk/golden hour/evening | 日落/黄昏/日出/黎明/傍晚/夕阳",
    night="night/midnight/moonlight/night time | 夜晚/午夜/月光/夜间/夜",
)
SEASONS = _table(
    spring="spring/springtime | 春天/春季/春日",
    summer="summer/summertime | 夏天/夏季/夏日",
    autumn="autumn/fall | 秋天/秋季/秋日",
    winter="winter/wintertime | 冬天/冬季/冬日",
)
SEASON_TREES = _table(
    spring="spring trees/blossoming trees/cherry trees | 春树/开花的树/樱花树",
    summer="green trees/summer trees/lush trees | 绿树/夏树/茂密的树",
    autumn="autumn trees/orange trees/golden trees/fall foliage | 秋树/红叶/金黄的树/秋叶",
    winter="bare trees/snowy trees/winter trees | 冬树/枯树/积雪的树",
)
WEATHERS = _table(
    clear="clear sky/clear/sunny/cloudless | 晴朗/晴天/晴空/万里无云",
    clouds="clouds/cloudy/overcast/cloudy sky | 多云/云朵/阴天/白云",
    rain="rain/rainy/raining/rainfall | 下雨/雨/雨天/雨中",
    snow="snow/snowy/snowing/snowfall | 下雪/雪/雪天/雪中",
    fog="fog/foggy/misty/mist/haze | 雾/大雾/薄雾/雾气/有雾",
)
THINGS = _table(
    house="house/cottage/cabin/hut | 房子/小屋/屋子/木屋",
    castle="castle/fortress/palace | 城堡/宫殿/古堡",
    lighthouse="lighthouse/light tower | 灯塔",
    boat="boat/sailboat/sailing boat/ship | 小船/帆船/船",
    balloon="balloon/hot air balloon/hot-air balloon | 气球/热气球",
    tree="tree/lone tree/big tree | 树/大树/孤树",
    car="car/small car/automobile | 汽车/小汽车/轿车/车",
    birds="bird/flying bird/seagull | 鸟/飞鸟/海鸥/小鸟",
    cat="cat/kitten/little cat | 猫/小猫/猫咪",
)
COLOURS = _table(
    red="red/crimson/scarlet | 红色的/红",
    orange="orange | 橙色的/橘色的",
    yellow="yellow/golden | 黄色的/金色的/黄",
    green="green | 绿色的/绿",
    blue="blue | 蓝色的/蓝",
    purple="purple/violet | 紫色的/紫",
    pink="pink | 粉色的/粉红色的",
    white="white | 白色的/白",
    black="black/dark | 黑色的/黑",
)
STYLES = _table(
    flat="flat illustration/vector illustration/illustration/flat design | 扁平插画/矢量插画/插画/扁平风格",
    watercolour="watercolour/watercolor/watercolour painting/watercolor painting | 水彩/水彩画/水彩风格",
    pixel="pixel art/pixelated/8-bit pixel art | 像素画/像素风/像素艺术",
    neon="neon/neon lights/synthwave/glowing neon/neon style | 霓虹/霓虹灯/霓虹灯闪烁/霓虹风格/霓虹闪烁",
    ink="ink drawing/pencil drawing/pencil sketch/ink sketch/pen and ink | 素描/铅笔画/墨线画/线稿/铅笔素描",
)
FUTURISTIC = Names(("futuristic", "future", "sci-fi", "science fiction"), ("未来", "科幻", "未来感的", "未来的"))
MOODS = Names(
    ("calm", "quiet", "peaceful", "beautiful", "serene", "lovely", "tranquil", "wide"),
    ("宁静", "安静", "平静", "美丽", "宁谧", "静谧", "辽阔", "优美"),
)
SURROUNDED = Names(
    ("surrounded by", "framed by", "lined with", "among", "with", "encircled by"),
    ("环绕", "围绕", "包围", "掩映", "簇拥"),
)
COUNTS_EN = ("a", "two", "three")
COUNTS_ZH = ("一", "两", "三")
MEASURES_ZH: Mapping[str, str] = {
    "house": "座", "castle": "座", "lighthouse": "座", "boat": "艘", "balloon": "个",
    "tree": "棵", "car": "辆", "birds": "只", "cat": "只",
}  # fmt: skip
# Words of everyday prompts that the captions do not use, so that they are whole tokens at least.
EXTRA_ZH = "一二三四五个张幅只艘座棵辆人在上下里中有和与的是大小高低远近前后左右旁边，。、！？"
EXTRA_EN = (
    "the", "of", "with", "and", "in", "on", "at", "under", "over", "by", "near", "an", "a", "picture",
    "painting", "scene", "landscape", "view", "style", "high", "quality", "detailed", "river", "bridge",
    "windmill", "train", "dog", "horse", "storm", "rainbow", "northern", "lights", "aurora", "oil",
    "mosaic", "woodcut", "paper", "cut", "four", "one", "moon", "sun", "stars", "water", "reflection",
    "blurry", "ugly", "low", "grey", "brown",
)  # fmt: skip
