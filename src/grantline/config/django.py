"""Django's settings, made from the typed settings of this process.

In: `config.settings.load()`. Out: the module that DJANGO_SETTINGS_MODULE names. Nothing here reads the
environment; everything an operator may set is a field of `Settings`. Contradictions are start-up
errors (`config.checks`). The database is always PostgreSQL: the operator's or the embedded one, whose
URL `config.database` has put in place before Django starts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from grantline.config.database import django_database
from grantline.config.settings import load

GRANTLINE = load()

SECRET_KEY = GRANTLINE.secret_key
DEBUG = GRANTLINE.debug
PUBLIC_ORIGIN = GRANTLINE.public_url or f"http://{GRANTLINE.host}:{GRANTLINE.port}"
SECURE = PUBLIC_ORIGIN.startswith("https://")

ALLOWED_HOSTS = ["*"] if GRANTLINE.public_url is None else [PUBLIC_ORIGIN.split("://")[1].split(":")[0]]
ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_ORIGIN]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "grantline.control",
    "grantline.jobs",
    "grantline.api",
    "grantline.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "grantline.web.middleware.RequestLog",
    "grantline.web.middleware.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "grantline.web.middleware.SignedInScope",
    "grantline.web.session.confirm.ConfirmIdentity",
    "grantline.web.middleware.ErrorPages",
]

ROOT_URLCONF = "grantline.config.urls"
WSGI_APPLICATION = "grantline.config.wsgi.application"
APPEND_SLASH = False

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "grantline.web.context.frame",
            ],
        },
    }
]

DATABASES = {"default": django_database(GRANTLINE.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "control.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "overview"

# django-allauth does the steps of a sign-in; every page is our own (`web.session`, `web.settings`).
ACCOUNT_ADAPTER = "grantline.web.session.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
MFA_ADAPTER = "grantline.web.session.adapters.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["recovery_codes", "totp", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Grantline"
SOCIALACCOUNT_ADAPTER = "grantline.web.session.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
PASSWORD_RESET_TIMEOUT = 3 * 86400

SESSION_COOKIE_NAME = "grantline_session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "grantline_csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "grantline.web.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
X_FRAME_OPTIONS = "DENY"

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a mapping of 500 columns, each with its options, is one form
FILE_UPLOAD_MAX_MEMORY_SIZE = 0
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
GRANTLINE.spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
FILE_UPLOAD_TEMP_DIR = str(GRANTLINE.spool_dir)
FILE_UPLOAD_PERMISSIONS = 0o600

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = str(GRANTLINE.data_dir / "static")
GRANTLINE.data_dir.joinpath("static").mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # sign-in counts must not be pushed out by a flood
    }
}

DEFAULT_FROM_EMAIL = GRANTLINE.email_from
EMAIL_TIMEOUT = 20
if GRANTLINE.email_url is None:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
else:
    _mail = urlsplit(GRANTLINE.email_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or ""
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp"
    EMAIL_PORT = _mail.port or {"smtps": 465, "smtp": 587}.get(_mail.scheme, 25)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"
LOGGING_CONFIG = None
