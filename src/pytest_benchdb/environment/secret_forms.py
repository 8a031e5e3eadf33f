"""What secrets on command lines look like: tokens by their issuers, names of options, headers.

Add a form here, and an example of it to ``tests/environment/test_command.py``, which fails without one. The formats are
those that the issuers document, and that secret scanners look for.
"""

import re
from collections.abc import Mapping

PREFIXES: Mapping[str, tuple[str, ...]] = {
    "1Password": ("ops_eyJ",),
    "Adafruit": ("aio_",),
    "age": ("AGE-SECRET-KEY-1",),
    "Alibaba Cloud": ("LTAI",),
    "Artifactory": ("AKCp", "cmVmdGtu"),
    "Atlassian": ("ATATT3", "ATCTT3", "ATBB"),
    "AWS": ("AKIA", "ASIA", "ABIA", "ACCA", "ABSK", "bedrock-api-key-"),
    "Buildkite": ("bkua_", "bkpt_", "bkaj_"),
    "CircleCI": ("CCIPAT_", "CCIPRJ_"),
    "Clojars": ("CLOJARS_",),
    "Contentful": ("CFPAT-",),
    "Databricks": ("dapi",),
    "Defined Networking": ("dnkey-",),
    "DigitalOcean": ("doo_v1_", "dop_v1_", "dor_v1_"),
    "Docker": ("dckr_pat_", "dckr_oat_"),
    "Doppler": ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."),
    "Dropbox": ("sl.u.", "sl.B"),
    "Duffel": ("duffel_live_", "duffel_test_"),
    "Dynatrace": ("dt0c01.", "dt0s01."),
    "EasyPost": ("EZAK", "EZTK"),
    "Facebook": ("EAAM", "EAAC"),
    "Figma": ("figd_", "figu_"),
    "Flutterwave": ("FLWSECK", "FLWPUBK_TEST-"),
    "Fly.io": ("fo1_", "fm1_", "fm1a_", "fm1r_", "fm2_"),
    "Frame.io": ("fio-u-",),
    "GitHub": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "GitLab": (
        *("glpat-", "gldt-", "glrt-", "glrtr-", "glptt-", "glsoat-", "glcbt-", "gloas-", "glft-", "glimt-"),
        *("glagent-", "glffct-", "GR1348941"),
    ),
    "Google": ("AIza", "ya29.", "GOCSPX-", "1//0"),
    "Grafana": ("glc_", "glsa_"),
    "Groq": ("gsk_",),
    "Harness": ("pat.", "sat."),
    "HashiCorp Vault": ("hvs.", "hvb.", "hvr."),
    "Heroku": ("HRKU-",),
    "HubSpot": ("pat-na1-", "pat-eu1-"),
    "Hugging Face": ("hf_", "api_org_"),
    "Infracost": ("ico-",),
    "LangSmith": ("lsv2_pt_", "lsv2_sk_"),
    "Linear": ("lin_api_", "lin_oauth_"),
    "Neon": ("napi_",),
    "Netlify": ("nfp_",),
    "New Relic": ("NRAK-", "NRJS-", "NRII-", "NRRA-"),
    "Notion": ("ntn_",),
    "npm": ("npm_",),
    "NVIDIA": ("nvapi-",),
    "OpenShift": ("sha256~",),
    "Perplexity": ("pplx-",),
    "Plaid": ("access-sandbox-", "access-development-", "access-production-"),
    "PlanetScale": ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"),
    "Postman": ("PMAK-",),
    "Prefect": ("pnu_", "pnb_"),
    "Pulumi": ("pul-",),
    "PyPI": ("pypi-",),
    "ReadMe": ("rdme_",),
    "Replicate": ("r8_",),
    "RubyGems": ("rubygems_",),
    "Scalingo": ("tk-us-",),
    "SendGrid": ("SG.",),
    "Sendinblue": ("xkeysib-", "xsmtpsib-"),
    "Sentry": ("sntrys_", "sntryu_"),
    "SettleMint": ("sm_aat_", "sm_pat_", "sm_sat_"),
    "Shippo": ("shippo_live_", "shippo_test_"),
    "Shopify": ("shpat_", "shpca_", "shppa_", "shpss_"),
    "Slack": ("xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.xoxp-", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"),
    "SonarQube": ("sqp_", "squ_", "sqa_"),
    "Sourcegraph": ("sgp_",),
    "Square": ("sq0atp-", "sq0csp-", "EAAA"),
    "Stripe": ("sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_", "whsec_"),
    "Supabase": ("sbp_", "sb_secret_"),
    "Tailscale": ("tskey-",),
    "Tavily": ("tvly-",),
    "Together": ("tgp_v1_",),
    "Typeform": ("tfp_",),
    "Weights & Biases": ("wandb_v1_",),
    "xAI": ("xai-",),
    "Yandex Cloud": ("t1.9e", "AQVN", "y0_Ag"),
}
"""How the tokens of an issuer begin; at least twelve more characters follow, digits or capitals among them."""

SHAPES: Mapping[str, str] = {
    "1Password secret key": r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{5,6}-){3,5}[A-Z0-9]{5}\b",
    "Airtable": r"\bpat\w{14}\.[0-9a-f]{64}\b",
    "Azure client secret": r"\b\w{3}\dQ~[\w.~-]{31,}",
    "Cloudflare": r"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{64,}",
    "Discord token": r"\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    "Discord webhook": r"(?<=/api/webhooks/)\d+/[\w-]+",
    "JSON Web Token": r"\beyJ[\w-]{8,}\.[\w.-]+",
    "JSON Web Token in Base64": r"\bZXlK[\w/+=-]{20,}",
    "Mailchimp": r"\b[0-9a-f]{32}-us\d{1,2}\b",
    "Mailgun": r"\bkey-[0-9a-f]{32}\b",
    "Notion": r"\bsecret_[A-Za-z0-9]{43}\b",
    "Octopus Deploy": r"\bAPI-[A-Z0-9]{26}\b",
    "OpenAI, Anthropic and others": r"\bsk-[\w-]{20,}",
    "private key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?",
    "Slack webhook": r"(?<=hooks\.slack\.com/)\w+/[\w/]+",
    "Teams webhook": r"(?<=webhook\.office\.com/)[\w@/-]+",
    "Telegram": r"\b\d{8,10}:AA[\w-]{33}",
    "Terraform": r"\b\w{14}\.atlasv1\.[\w=-]{60,}",
    "Twilio": r"\bSK[0-9a-fA-F]{32}\b",
}
"""Tokens that a prefix alone does not distinguish from other words."""

# `--tokenizer`, `--max-tokens` and `--author` are not secrets; `AccountKey` and `authorization` are.
SECRET_NAME = re.compile(
    r"token(?!iz|s)|(?:api|access)[-_]?tokens|secret|passw(?:or)?d|passphrase|pwd|cred(?:ential)?s?(?![a-z])|credential"
    r"|auth(?!ors?(?![a-z]))|bearer|signature|apikey|cookie|jwt|login|webhook|_session(?![a-z])|otp(?![a-z])|private[-_]?key"
    r"|(?-i:(?<=[a-z])(?:Key|Pass|Pat|Pw|Sas))(?=$|[-_.])"
    r"|(?:^|[-_.])(?:key|pass|pat|pw|sas|sig|dsn|sid|pin)(?=$|[-_.])",
    re.IGNORECASE,
)
"""A part of the names of options, variables, fields and headers whose values are secret."""

WHOLE_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
"""Headers whose whole value is secret: it has spaces, equals signs and semicolons."""

USER_OPTIONS = frozenset({"-u", "--user", "--username", "--proxy-user", "-U"})
"""Options whose value may be ``name:password``."""

_ANY_PREFIX = "|".join(re.escape(prefix) for prefixes in PREFIXES.values() for prefix in prefixes)
TOKEN = re.compile(
    "|".join([rf"\b(?:{_ANY_PREFIX})(?=[\w.~+=-]*[0-9A-Z])[\w.~+=-]{{12,}}", *SHAPES.values()]),
)
"""A token of any known issuer."""
