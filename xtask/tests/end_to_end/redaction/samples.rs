//! What is sent with a secret in it, and what only looks like one.

/// Part of everything that must not arrive.
pub(crate) const SECRET: &str = "hunter2";

/// Attributes with a secret in each, and what of them arrives.
pub(crate) const ATTRIBUTES: [(&str, &str, Option<&str>); 32] = [
    ("http.request.header.authorization", "Bearer hunter2", None),
    ("http.request.header.proxy-authorization", "hunter2", None),
    ("http.request.header.cookie", "session=hunter2", None),
    ("http.response.header.set-cookie", "session=hunter2", None),
    ("http.request.header.Set-Cookie", "a=hunter2", None),
    ("http.request.header.x-api-key", "hunter2", None),
    ("http.request.header.referer", "/a?key=hunter2", None),
    ("rpc.grpc.request.metadata.authorization", "hunter2", None),
    ("user.password", "hunter2", None),
    ("PASSWORD", "hunter2", None),
    ("DATABASE_PASSWORD", "hunter2", None),
    ("API_KEY", "hunter2", None),
    ("client_secret", "hunter2", None),
    ("access_token", "hunter2", None),
    ("accessToken", "hunter2", None),
    ("x-amz-security-token", "hunter2", None),
    ("userPassword", "hunter2", None),
    ("apikey", "hunter2", None),
    ("aws.credentials", "hunter2", None),
    ("ssh.private_key", "hunter2", None),
    ("url.query", "token=hunter2", None),
    (
        "url.full",
        "https://me:hunter2@example.com/a?key=hunter2#top",
        Some("https://example.com/a#top"),
    ),
    (
        "http.url",
        "http://example.com/a?key=hunter2",
        Some("http://example.com/a"),
    ),
    ("http.target", "/a?key=hunter2", Some("/a")),
    (
        "peer.address",
        "postgres://me:p@hunter2@db:5432/shop",
        Some("postgres://db:5432/shop"),
    ),
    (
        "db.statement",
        "SELECT 1 FROM users WHERE name = 'hunter2'",
        Some("SELECT 1 FROM users WHERE name = ?"),
    ),
    (
        "process.command_line",
        "shop --password=hunter2 --port=80",
        Some("shop --password=*** --port=80"),
    ),
    (
        "db.connection",
        "Server=db;Password=hunter2;Timeout=5",
        Some("Server=db;Password=***;Timeout=5"),
    ),
    (
        "request.body",
        r#"{"name": "me", "password": "hunter2", "page": 2}"#,
        Some(r#"{"name": "me", "password": "***", "page": 2}"#),
    ),
    (
        "curl",
        "-H 'Authorization: Bearer hunter2' https://a/b",
        Some("-H 'Authorization: Bearer ***' https://a/b"),
    ),
    (
        "exception.message",
        "GET https://a/b?key=hunter2: refused",
        Some("GET https://a/b refused"),
    ),
    (
        "links",
        r#"["https://a/b?key=hunter2","c@d.example"]"#,
        Some(r#"["https://a/b","c@d.example"]"#),
    ),
];

/// What merely looks like a secret stays.
pub(crate) const KEPT: [(&str, &str); 18] = [
    ("gen_ai.usage.input_tokens", "12"),
    ("gen_ai.token.type", "input"),
    ("token_count", "12"),
    ("tokenizer", "cl100k"),
    ("author", "me"),
    ("server.authority", "example.com:443"),
    ("secretary", "me"),
    ("keyboard", "qwerty"),
    ("messaging.kafka.message.key", "order-1"),
    ("user.email", "me@example.com"),
    ("db.query.text", "SELECT 1 FROM users WHERE name = $1"),
    ("url.path", "/@babel/core"),
    ("npm", "https://example.com/@babel/core"),
    ("parser", "unexpected token: end of input"),
    ("login", "basic authentication failed"),
    ("course", "Basic 101, the bearer 2 days ago"),
    ("broken", "broken=true cwd=/srv"),
    ("question", "Is it at https://example.com/a ?"),
];

/// Texts with a secret in each, as names of spans, messages and bodies; and what of them arrives.
pub(crate) const TEXTS: [(&str, &str); 6] = [
    ("GET /a?key=hunter2", "GET /a"),
    (
        "GET https://me:hunter2@example.com/a?key=hunter2#top took 2 s",
        "GET https://example.com/a#top took 2 s",
    ),
    (
        "sent Authorization: Bearer hunter2",
        "sent Authorization: Bearer ***",
    ),
    ("sent Basic bWU6aHVudGVyMg==", "sent Basic ***"),
    (
        "user=me password=hunter2 port=80",
        "user=me password=*** port=80",
    ),
    (
        r#"{"token":"hunter2","page":2}"#,
        r#"{"token":"***","page":2}"#,
    ),
];

/// Texts that stay as they are.
pub(crate) const KEPT_TEXTS: [&str; 6] = [
    "GET /products/{id}",
    "what? and/or why?",
    "the bearer of bad news, a basic one",
    "mail to me@example.com",
    "unexpected token: 12",
    "secrets are kept, tokens=12",
];
