"""What every answer says to browsers: what a page may load and do, and who may embed or keep it."""

from starlette.datastructures import MutableHeaders

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)

_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SECURE = {"Strict-Transport-Security": "max-age=31536000"}
_API = {"Cache-Control": "no-store"}


def add_headers(headers: MutableHeaders, *, secure: bool, api: bool) -> None:
    """Add what an answer does not say by itself: a document that needs another policy brings its own."""
    for name, value in (_ALWAYS | (_SECURE if secure else {}) | (_API if api else {})).items():
        headers.setdefault(name, value)
