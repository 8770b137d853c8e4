"""Where administrative regions lie, roughly: enough to put a mark on a map that shows no streets.

Our own table, written from general knowledge: the seat or the middle of each, WGS 84, to a hundredth of a degree.
It has the provinces and the cities of Guangdong and Hubei, with Shenzhen's districts; every other region is put near
the smallest one that contains it.
"""

from dataclasses import dataclass
from hashlib import blake2b
from math import cos, pi, radians, sin

from deptbus.imports.cap.regions import name_of
from deptbus.workflow.regions import significant


@dataclass(frozen=True, slots=True)
class Place:
    """A region on the map."""

    code: str
    """GB/T 2260."""
    zh: str
    en: str
    longitude: float
    latitude: float
    exact: bool
    """Whether the table has it; else it stands near the region that contains it."""


_NEAR = {2: 0.6, 4: 0.18}
"""How far from the middle of its province or city an unknown region is put, in degrees; a street lies in its county."""

_TABLE = """
100000 中国 China 104.20 35.86
110000 北京市 Beijing 116.41 39.90
120000 天津市 Tianjin 117.20 39.13
130000 河北省 Hebei 114.51 38.04
140000 山西省 Shanxi 112.55 37.87
150000 内蒙古自治区 Inner_Mongolia 111.75 40.84
210000 辽宁省 Liaoning 123.43 41.81
220000 吉林省 Jilin 125.32 43.82
230000 黑龙江省 Heilongjiang 126.64 45.76
310000 上海市 Shanghai 121.47 31.23
320000 江苏省 Jiangsu 118.80 32.06
330000 浙江省 Zhejiang 120.15 30.27
340000 安徽省 Anhui 117.23 31.82
350000 福建省 Fujian 119.30 26.08
360000 江西省 Jiangxi 115.86 28.68
370000 山东省 Shandong 117.12 36.65
410000 河南省 Henan 113.63 34.75
420000 湖北省 Hubei 112.30 30.97
430000 湖南省 Hunan 112.94 28.23
440000 广东省 Guangdong 113.43 23.35
450000 广西壮族自治区 Guangxi 108.37 22.82
460000 海南省 Hainan 110.35 20.02
500000 重庆市 Chongqing 106.55 29.56
510000 四川省 Sichuan 104.07 30.57
520000 贵州省 Guizhou 106.63 26.65
530000 云南省 Yunnan 102.83 24.88
540000 西藏自治区 Xizang 91.14 29.65
610000 陕西省 Shaanxi 108.94 34.34
620000 甘肃省 Gansu 103.83 36.06
630000 青海省 Qinghai 101.78 36.62
640000 宁夏回族自治区 Ningxia 106.23 38.49
650000 新疆维吾尔自治区 Xinjiang 87.62 43.83
710000 台湾省 Taiwan 121.52 25.03
810000 香港特别行政区 Hong_Kong 114.17 22.32
820000 澳门特别行政区 Macao 113.54 22.19
420100 武汉市 Wuhan 114.31 30.59
420200 黄石市 Huangshi 115.04 30.20
420300 十堰市 Shiyan 110.80 32.63
420500 宜昌市 Yichang 111.29 30.69
420600 襄阳市 Xiangyang 112.12 32.01
420700 鄂州市 Ezhou 114.89 30.39
420800 荆门市 Jingmen 112.20 31.04
420900 孝感市 Xiaogan 113.92 30.93
421000 荆州市 Jingzhou 112.24 30.33
421100 黄冈市 Huanggang 114.87 30.45
421200 咸宁市 Xianning 114.32 29.84
421300 随州市 Suizhou 113.38 31.69
422800 恩施土家族苗族自治州 Enshi 109.49 30.27
429004 仙桃市 Xiantao 113.45 30.36
429005 潜江市 Qianjiang 112.90 30.40
429006 天门市 Tianmen 113.17 30.66
429021 神农架林区 Shennongjia 110.68 31.74
440100 广州市 Guangzhou 113.26 23.13
440200 韶关市 Shaoguan 113.60 24.81
440300 深圳市 Shenzhen 114.06 22.54
440400 珠海市 Zhuhai 113.58 22.27
440500 汕头市 Shantou 116.68 23.35
440600 佛山市 Foshan 113.12 23.02
440700 江门市 Jiangmen 113.08 22.58
440800 湛江市 Zhanjiang 110.36 21.27
440900 茂名市 Maoming 110.93 21.66
441200 肇庆市 Zhaoqing 112.47 23.05
441300 惠州市 Huizhou 114.42 23.11
441400 梅州市 Meizhou 116.12 24.29
441500 汕尾市 Shanwei 115.37 22.79
441600 河源市 Heyuan 114.70 23.74
441700 阳江市 Yangjiang 111.98 21.86
441800 清远市 Qingyuan 113.06 23.68
441900 东莞市 Dongguan 113.75 23.02
442000 中山市 Zhongshan 113.39 22.52
445100 潮州市 Chaozhou 116.62 23.66
445200 揭阳市 Jieyang 116.37 23.55
445300 云浮市 Yunfu 112.04 22.92
440303 罗湖区 Luohu 114.13 22.55
440304 福田区 Futian 114.05 22.52
440305 南山区 Nanshan 113.93 22.53
440306 宝安区 Bao'an 113.88 22.55
440307 龙岗区 Longgang 114.25 22.72
440308 盐田区 Yantian 114.24 22.56
440309 龙华区 Longhua 114.04 22.70
440310 坪山区 Pingshan 114.35 22.70
440311 光明区 Guangming 113.94 22.75
441302 惠城区 Huicheng 114.38 23.08
441303 惠阳区 Huiyang 114.46 22.79
"""


def _read(line: str) -> Place:
    code, zh, en, longitude, latitude = line.split()
    return Place(code, zh, en.replace("_", " "), float(longitude), float(latitude), True)


PLACES = {place.code: place for place in map(_read, _TABLE.split("\n")[1:-1])}
"""By code."""


def place_of(region: str) -> Place | None:
    """Where a region lies, or about where; None for what is no region of China."""
    code = region[:6]
    known = PLACES.get(code)
    if known is not None and len(region) == 6:
        return known
    containing = next((PLACES[above] for above in _above(region) if above in PLACES), None)
    if containing is None:
        return None
    reach = _NEAR.get(len(significant(containing.code)), 0.0)
    # The same for the same code, and apart from its neighbours: by a turn that follows from the code.
    turn = int.from_bytes(blake2b(region.encode(), digest_size=2).digest(), "big") / 65_536 * 2 * pi
    longitude = containing.longitude + reach * cos(turn) / cos(radians(containing.latitude))
    latitude = containing.latitude + reach * sin(turn)
    name = name_of(code)
    return Place(
        region,
        name if name != code else f"{containing.zh}{region}",
        f"{containing.en} {region}",
        round(longitude, 4),
        round(latitude, 4),
        False,
    )


def _above(region: str) -> list[str]:
    """The codes of what contains a region, the smallest first."""
    if len(region) < 6 or not region.isdigit():
        return []
    longer = [region[:6]] if len(region) > 6 else []
    return [*longer, region[:4] + "00", region[:2] + "0000"]
