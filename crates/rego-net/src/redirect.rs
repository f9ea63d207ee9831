//! Where a redirect leads, and with what.

use rego_builtins::network::HttpRequest;
use url::Url;

/// Redirects of one request. OPA follows them until the time is over.
pub(crate) const MOST_REDIRECTS: usize = 50;

/// What is sent in one step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Headers that are for the first host and those below it alone.
const CONFIDENTIAL: [&str; 6] =
    ["Authorization", "Www-Authenticate", "Cookie", "Cookie2", "Proxy-Authorization", "Proxy-Authenticate"];

/// Headers that speak of a body.
const OF_BODY: [&str; 4] = ["Content-Type", "Content-Encoding", "Content-Language", "Content-Location"];

impl Step {
    pub(crate) fn first(request: &HttpRequest, url: Url) -> Self {
        Self {
            method: if request.method.is_empty() { "GET".to_owned() } else { request.method.clone() },
            url,
            headers: request.headers.clone(),
            body: request.body.clone(),
        }
    }

    /// The step that a response with this code and `Location` asks for, if it asks for one. The error is the text of a
    /// location that is no URL.
    pub(crate) fn next(
        &self,
        first: &Url,
        code: u16,
        location: Option<&str>,
    ) -> Result<Option<Self>, String> {
        let (301 | 302 | 303 | 307 | 308, Some(location)) = (code, location) else { return Ok(None) };
        let url = self.url.join(location).map_err(|_| location.to_owned())?;
        let mut next = self.clone();
        if code < 307 && !matches!(self.method.as_str(), "GET" | "HEAD") {
            next.method = "GET".to_owned();
            next.drop_body();
        } else if code < 307 {
            next.drop_body();
        }
        if !is_below(&url, first) {
            next.drop_headers(&CONFIDENTIAL);
        }
        next.drop_headers(&["Host", "Referer"]);
        if !(self.url.scheme() == "https" && url.scheme() == "http") {
            next.headers.push(("Referer".to_owned(), self.url.to_string()));
        }
        next.url = url;
        Ok(Some(next))
    }

    fn drop_body(&mut self) {
        if !self.body.is_empty() {
            self.body.clear();
            self.drop_headers(&OF_BODY);
        }
    }

    fn drop_headers(&mut self, names: &[&str]) {
        self.headers.retain(|(name, _)| !names.iter().any(|dropped| name.eq_ignore_ascii_case(dropped)));
    }
}

/// Whether a host is the first one or a name below it, on the same port or another.
fn is_below(url: &Url, first: &Url) -> bool {
    match (url.host_str(), first.host_str()) {
        (Some(host), Some(first)) => {
            host == first || host.strip_suffix(first).is_some_and(|above| above.ends_with('.'))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(method: &str, url: &str) -> Step {
        let header = |name: &str| (name.to_owned(), "x".to_owned());
        Step {
            method: method.to_owned(),
            url: Url::parse(url).unwrap(),
            headers: vec![header("Authorization"), header("Content-Type"), header("Host"), header("X-Own")],
            body: b"body".to_vec(),
        }
    }

    fn next(from: &Step, code: u16, location: &str) -> Step {
        from.next(&from.url, code, Some(location)).unwrap().unwrap()
    }

    fn names(step: &Step) -> Vec<&str> {
        step.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn a_post_becomes_a_get_without_body_unless_the_code_says_to_repeat_it() {
        let from = step("POST", "http://a.example/x?y");
        for code in [301, 302, 303] {
            let to = next(&from, code, "/z");
            assert_eq!(
                (to.method.as_str(), to.url.as_str(), to.body.len()),
                ("GET", "http://a.example/z", 0)
            );
            assert_eq!(names(&to), ["Authorization", "X-Own", "Referer"]);
        }
        let to = next(&from, 307, "z");
        assert_eq!((to.method.as_str(), to.body.as_slice()), ("POST", b"body".as_slice()));
        assert!(from.next(&from.url, 200, Some("/z")).unwrap().is_none());
        assert!(from.next(&from.url, 302, None).unwrap().is_none());
        assert!(from.next(&from.url, 302, Some("http://[")).is_err());
    }

    #[test]
    fn secrets_stay_with_the_first_host_and_those_below_it() {
        let from = step("GET", "https://a.example/");
        assert!(names(&next(&from, 302, "https://b.a.example/")).contains(&"Authorization"));
        for elsewhere in ["https://example/", "https://xa.example/", "http://evil.test/"] {
            assert!(!names(&next(&from, 302, elsewhere)).contains(&"Authorization"), "{elsewhere}");
        }
        assert!(!names(&next(&from, 302, "http://a.example/")).contains(&"Referer"));
    }
}
