"""What a person is told when access is refused, in both languages. Nothing that anybody sent stands in them."""

from dataclasses import dataclass

from deptbus.errors import BusError


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in Chinese and in English."""

    zh: str
    en: str

    def to_json(self) -> dict[str, dict[str, str]]:
        """The body of an answer that refuses."""
        return {"error": {"zh": self.zh, "en": self.en}}


class AccessRefused(BusError):
    """A request is refused: ``status`` is HTTP's, ``wait_s`` after how many seconds it may be tried again."""

    def __init__(self, status: int, sentence: Sentence, wait_s: int | None = None) -> None:
        super().__init__(sentence.en)
        self.status = status
        self.sentence = sentence
        self.wait_s = wait_s


SIGN_ON = Sentence("请先登录。", "Sign on first.")
WRONG = Sentence("用户名或密码不正确。", "The name or the password is wrong.")
SLOWER = Sentence("登录尝试过于频繁，请稍后再试。", "There were too many attempts to sign on; wait a little.")
BUSY = Sentence("登录的人较多，请稍后再试。", "Many are signing on at this moment; try again shortly.")
MALFORMED = Sentence("登录请求的格式不正确。", "The request to sign on is malformed.")
NO_PASSWORDS = Sentence("此处不使用密码登录。", "Nobody signs on with a password here.")
NO_PROVIDER = Sentence("此处未设置统一身份认证登录。", "No identity provider is set up here.")

WRONG_HOST = Sentence(
    "请通过本机地址（127.0.0.1 或 localhost）或设定的网址访问。",
    "Open this page at 127.0.0.1 or localhost, or at the address that BUS_DASHBOARD_URL names.",
)
NOT_LOCAL = Sentence(
    "未设置登录时只能在本机直接访问，不能经过代理。请设置 BUS_DASHBOARD_URL 和登录方式。",
    "Without sign-on only this machine itself is answered, and no proxy: set BUS_DASHBOARD_URL and a way to sign on.",
)
FOREIGN = Sentence("该请求来自其他网站，已拒绝。", "This request comes from another site and is refused.")
STALE = Sentence("页面已过期，请刷新后重试。", "This page is out of date; load it again and repeat what you did.")

ELSEWHERE = Sentence("登录后只能返回本系统的页面。", "Signing on leads back to pages of this dashboard only.")
AGAIN = Sentence(
    "本次登录已过期或不是从此浏览器开始的，请重新登录。",
    "This sign-on has expired or did not begin in this browser; sign on again.",
)
PROVIDER_AWAY = Sentence(
    "统一身份认证服务暂时无法访问，请稍后再试。", "The identity provider does not answer; try again shortly."
)
NOT_CONFIRMED = Sentence(
    "统一身份认证服务未确认您的身份，请重新登录。", "The identity provider did not confirm who you are; sign on again."
)
NO_NAME = Sentence(
    "统一身份认证服务没有提供您的姓名，请联系管理员。",
    "The identity provider does not tell your name; ask whoever administers it.",
)
NO_ROLE = Sentence(
    "您没有本系统的角色，请联系管理员。", "You have no role in this dashboard; ask whoever administers it."
)
NO_DEPARTMENT = Sentence(
    "您不属于任何部门，请联系管理员。", "You belong to no department here; ask whoever administers it."
)
TOO_MANY = Sentence(
    "您的部门过多，无法登录，请联系管理员。",
    "You belong to more departments than a session can hold; ask whoever administers it.",
)
