"""The words of the captions: every attribute's values with their English and Chinese names.

The first name of each value is its plainest one, and true of every picture that has the value. Knows nothing of grammar
(captions.py) or of pictures.
"""

from collections.abc import Mapping

from models.starter.recipe.drawings import DRAWN
from models.starter.recipe.names import Names


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
    mountains="mountains/mountain range/peaks/mountain landscape | 山脉/群山/山峰/高山",
    desert="desert/sand dunes/dunes | 沙漠/沙丘/荒漠",
    city="city skyline/city/skyline/skyscrapers/cityscape/downtown | 城市天际线/城市/天际线/摩天大楼/都市",
    beach="beach/seashore/coast/sandy beach/seaside | 海滩/沙滩/海岸/海边",
    meadow="meadow/grassland/flower field/hills/field | 草地/草原/花田/田野/草坡",
    village="village/small town/hamlet/cottages | 村庄/小镇/村落/乡村",
    harbour="harbour/harbor/port/sea harbour/pier | 港口/海港/码头/港湾",
    river="river with a bridge/river/stone bridge/bridge over a river/riverside "
    "| 小河与桥/河流/河上的桥/石桥/大桥/河边",
    sea="ocean/open sea/sea/high seas | 海洋/大海/海面/海上",
    space="outer space/space/starry space/cosmos | 太空/宇宙/星空/外太空",
    room="room/living room/interior/indoors | 房间/室内/客厅/屋里",
    table="table/wooden table/tabletop/desk | 桌子/木桌/桌面/餐桌",
    plain="plain background/plain backdrop/simple background | 纯色背景/简单背景/素色背景",
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
    winter="winter trees/snowy trees/bare trees | 冬树/积雪的树/枯树",
)
WEATHERS = _table(
    clear="clear sky/clear/sunny/clear weather | 晴朗/晴空/晴天",
    clouds="clouds/cloudy/overcast/cloudy sky | 多云/云朵/阴天/白云",
    rain="rain/rainy/raining/rainfall | 下雨/雨/雨天/雨中",
    snow="snow/snowy/snowing/snowfall | 下雪/雪/雪天/雪中",
    fog="fog/foggy/misty/mist/haze | 雾/大雾/薄雾/雾气/有雾",
    storm="storm/lightning/thunderstorm/stormy/stormy sky | 暴风雨/闪电/雷雨/雷电/风暴",
    rainbow="rainbow/colourful rainbow/colorful rainbow/bright rainbow | 彩虹/七色彩虹/雨后彩虹",
    aurora="northern lights/aurora/aurora borealis/polar lights | 极光/北极光/绿色极光",
)
WEATHER_ADJECTIVES: Mapping[str, str] = {
    "clear": "sunny", "clouds": "cloudy", "rain": "rainy", "snow": "snowy", "fog": "foggy", "storm": "stormy",
}  # fmt: skip
WEATHER_PHRASES: Mapping[str, tuple[str, ...]] = {
    "clear": ("under a clear sky", "in clear weather"),
    "clouds": ("under a cloudy sky", "under clouds", "with clouds"),
    "rain": ("in the rain", "on a rainy day", "with rain"),
    "snow": ("in the snow", "with falling snow", "in a snowfall"),
    "fog": ("in the fog", "in mist", "with fog"),
    "storm": ("in a storm", "with lightning", "in a thunderstorm", "under a stormy sky"),
    "rainbow": ("under a rainbow", "with a rainbow", "with a rainbow in the sky"),
    "aurora": ("under the northern lights", "with northern lights", "under the aurora"),
}
# What the renderer alone can draw, and what drawings show.
THINGS: Mapping[str, Names] = {
    **_table(
        lighthouse="lighthouse/light tower | 灯塔",
        windmill="windmill/mill/old windmill | 风车/风车磨坊/大风车",
    ),
    **{key: drawn.names for key, drawn in DRAWN.items()},
}
# What is only ever the second thing: something lies on it, or stands under it.
PROPS = _table(
    plate="plate/dish | 盘子/碟子/盘",
    blossoms="cherry blossoms/sakura/blooming sakura | 樱花/盛开的樱花/满树樱花",
)
BARE = frozenset({key for key, drawn in DRAWN.items() if drawn.may("bare")} | {"blossoms"})  # no article, no number
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
    brown="brown | 棕色的/褐色的",
)
STYLES = _table(
    flat="flat illustration/vector illustration/illustration/flat design | 扁平插画/矢量插画/插画/扁平风格",
    watercolour="watercolour/watercolor/watercolour painting/watercolor painting | 水彩/水彩画/水彩风格",
    oil="oil painting/oil/oil on canvas/impressionist painting | 油画/油彩/油画风格/布面油画",
    ink="ink drawing/ink/pen and ink/ink and wash/ink sketch | 水墨画/墨线画/钢笔画/线稿/水墨",
    pencil="pencil drawing/coloured pencil drawing/colored pencil/pencil sketch/crayon drawing "
    "| 铅笔画/彩色铅笔画/彩铅/素描/铅笔素描",
    pixel="pixel art/pixelated/8-bit pixel art/retro game art | 像素画/像素风/像素艺术",
    woodcut="woodcut/woodblock print/linocut/woodcut print | 木刻/木刻版画/版画/木版画",
    neon="neon/neon lights/synthwave/glowing neon/neon style | 霓虹/霓虹灯/霓虹灯闪烁/霓虹风格/霓虹闪烁",
    papercut="paper cut/papercut/layered paper/paper cutout/paper craft | 剪纸/纸雕/剪纸画/纸艺/剪纸风格",
    mosaic="mosaic/tile mosaic/mosaic tiles/mosaic art | 马赛克/马赛克画/镶嵌画/瓷砖拼贴",
)
FUTURISTIC = Names(
    ("futuristic", "cyberpunk", "future", "sci-fi", "science fiction"),
    ("未来", "赛博朋克", "科幻", "未来感的", "未来的"),
)
CHARMS = Names(("cute", "lovely", "adorable", "sweet", "pretty"), ("可爱的", "漂亮的", "萌萌的", "好看的"))
MOODS = Names(
    ("calm", "quiet", "peaceful", "beautiful", "serene", "lovely", "tranquil", "wide"),
    ("宁静", "安静", "平静", "美丽", "宁谧", "静谧", "辽阔", "优美"),
)
SURROUNDED = Names(
    ("surrounded by", "framed by", "lined with", "among", "with", "encircled by"),
    ("环绕", "围绕", "包围", "掩映", "簇拥"),
)
TREES = Names(("trees",), ("树木",))
PICTURES_ZH = ("一幅画", "一张图")  # what a caption may begin with
COUNTS_EN = (("a",), ("two", "2", "a pair of"), ("three", "3"), ("four", "4"))
COUNTS_ZH = (("一",), ("两", "2", "二"), ("三", "3"), ("四", "4"))
MEASURES_ZH: Mapping[str, str] = {
    "lighthouse": "座", "windmill": "座", "plate": "个", "blossoms": "片",
    **{key: drawn.measure for key, drawn in DRAWN.items()},
}  # fmt: skip
# Words of captions and everyday prompts that no table has, so that they are whole tokens at least.
EXTRA_ZH = (
    "一二三四五两个张幅只艘座棵辆匹条架列人在上下里中有和与的是大小高低远近前后左右旁边，。、！？"
    "树木灯下时的闪烁空画面这天气季节着停飞站风景格绘照片图作品间方灰暗明亮骑趴肖像特写近景跟并排放坐面"
)
EXTRA_EN = (
    "the", "of", "with", "and", "in", "on", "at", "under", "over", "above", "by", "near", "an", "a", "picture", "is",
    "there", "it", "made", "painted", "as", "painting", "drawing", "print", "scene", "landscape", "view", "style",
    "high", "quality", "detailed", "showing", "during", "weather", "falling", "sky", "day", "four", "one", "moon",
    "sun", "stars", "water", "reflection", "blurry", "ugly", "low", "grey", "dark", "bright", "puppies", "ponies",
    "trees", "season", "standing", "flying", "front", "riding", "portrait", "close", "up", "closeup", "next", "to",
    "beside", "sitting", "lying", "for", "from", "up-close", "image", "illustration", "cute", "big", "small", "large",
    "beneath", "below", "top", "against", "dish", "photo",
)  # fmt: skip
