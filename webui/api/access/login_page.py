"""The login form as HTML: one self-contained file, in the visitor's language, light or dark like their system."""

from __future__ import annotations

from html import escape
from pathlib import Path

from webui.errors import DarkroomError
from webui.texts import Language, Texts

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_TEMPLATE = Path(__file__).with_name("login.html")


class LoginPage:
    """Fills the template; whatever came from outside is escaped."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._template = _TEMPLATE.read_text("utf-8")

    def html(self, language: Language, *, next: str = "/", user: str = "", problem: DarkroomError | None = None) -> str:
        """The form. `next`: where to go afterwards; `user`: what was typed before; `problem`: why the form is shown
        again.
        """
        said = ""
        if problem is not None:
            message, hint = self._texts.word(problem.kind, problem.details, language)
            said = f'<p class="problem" role="alert">{escape(message)} {escape(hint)}</p>'
        text = {name: escape(self._texts.text(f"login.{name}", language)) for name in ("title", "note", "submit")}
        return self._template.format(
            language=language,
            problem=said,
            next=escape(next),
            user=escape(user),
            user_label=escape(self._texts.text("login.user", language)),
            password_label=escape(self._texts.text("login.password", language)),
            focus_user="" if user else " autofocus",
            focus_password=" autofocus" if user else "",
            **text,
        )


def safe_next(target: str) -> str:
    """A path of our own to go to after the login; `/` for anything that could lead to another site."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\", "/login", "/logout"))
    return target if is_own and target.isprintable() and "\\" not in target and len(target) < 1000 else "/"
