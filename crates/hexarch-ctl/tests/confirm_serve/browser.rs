//! The page as a person has it: Chromium, told what to do over its pipe for tools (the DevTools protocol).

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use guard_confirm::State;
use serde_json::{Value, json};
use test_support::Folder;

use super::support::{Setting, Site, delete};

/// A loaded machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A headless Chromium with a profile of its own, killed when this is dropped.
struct Browser {
    process: Child,
    to: std::cell::RefCell<ChildStdin>,
    from: std::cell::RefCell<BufReader<ChildStdout>>,
    next: Cell<u64>,
    /// What it has told beside its answers.
    events: std::cell::RefCell<Vec<Value>>,
    _profile: Folder,
}

impl Browser {
    fn start() -> Self {
        let profile = Folder::new("chromium");
        let flags = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
                     --disable-background-networking --disable-component-update --remote-debugging-pipe";
        // It reads from its file 3, and writes to 4.
        let script =
            format!("exec chromium {flags} --user-data-dir=\"$0\" 3<&0 4>&1 </dev/null >/dev/null 2>&1");
        let mut process = Command::new("sh")
            .args(["-c", &script])
            .arg(profile.path())
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = process.stdin.take().unwrap().into();
        let from = BufReader::new(process.stdout.take().unwrap()).into();
        let browser =
            Self { process, to, from, next: Cell::new(1), events: Vec::new().into(), _profile: profile };
        browser.call("Browser.getVersion", json!({}), None);
        browser
    }

    fn call(&self, method: &str, parameters: Value, session: Option<&str>) -> Value {
        let id = self.next.replace(self.next.get() + 1);
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut text = message.to_string().into_bytes();
        text.push(0);
        self.to.borrow_mut().write_all(&text).unwrap();
        loop {
            let told = self.read();
            if told["id"] == id {
                assert!(told.get("error").is_none(), "{method}: {told}");
                return told["result"].clone();
            }
            self.events.borrow_mut().push(told);
        }
    }

    fn read(&self) -> Value {
        let mut told = Vec::new();
        self.from.borrow_mut().read_until(0, &mut told).unwrap();
        assert_eq!(told.pop(), Some(0), "chromium has gone: `cargo xtask test` installs it");
        serde_json::from_slice(&told).unwrap()
    }

    /// A page of a person's own: nothing is shared with another's.
    fn open(&self, url: &str) -> Tab<'_> {
        let context = self.call("Target.createBrowserContext", json!({}), None)["browserContextId"].clone();
        let target = json!({"url": "about:blank", "browserContextId": context});
        let target = self.call("Target.createTarget", target, None)["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let session =
            self.call("Target.attachToTarget", attach, None)["sessionId"].as_str().unwrap().to_owned();
        let tab = Tab { browser: self, session };
        for domain in ["Page", "Log", "Runtime"] {
            tab.call(&format!("{domain}.enable"), json!({}));
        }
        tab.call("Page.navigate", json!({"url": url}));
        tab.until("document.readyState === 'complete' && location.href !== 'about:blank'");
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Tab<'a> {
    browser: &'a Browser,
    session: String,
}

impl Tab<'_> {
    fn call(&self, method: &str, parameters: Value) -> Value {
        self.browser.call(method, parameters, Some(&self.session))
    }

    fn ask(&self, expression: &str) -> Value {
        let told = self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        assert!(told.get("exceptionDetails").is_none(), "{expression}: {told}");
        told["result"]["value"].clone()
    }

    fn until(&self, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.ask(expression) != true {
            assert!(Instant::now() < end, "{expression}: {}", self.ask("document.documentElement.outerHTML"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn heading(&self) -> String {
        self.ask("document.querySelector('h1').innerText").as_str().unwrap().to_owned()
    }

    /// Presses what a pointer finds there.
    fn click(&self, selector: &str) {
        let middle = format!(
            "(() => {{ const e = document.querySelector('{selector}'); e.scrollIntoView({{block: 'center'}}); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        );
        let at = self.ask(&middle);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    fn press(&self, key: &str, code: u32, text: &str) {
        let event =
            json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        self.call("Input.dispatchKeyEvent", event);
        self.call(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        );
    }

    /// What the browser found wrong with the page, such as what its headers do not let it do.
    fn complaints(&self) -> Vec<Value> {
        let events = self.browser.events.borrow();
        let of_us = events.iter().filter(|event| event["sessionId"] == self.session.as_str());
        let wrong = of_us.filter(|event| event["method"] == "Log.entryAdded");
        // Browsers ask for an icon, and there is none.
        wrong.filter(|event| !event.to_string().contains("favicon")).cloned().collect()
    }

    fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("HEXARCH_PICTURES") {
            let data = self.call("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
            let path = std::path::Path::new(&folder).join(format!("{name}.png.base64"));
            std::fs::write(path, data["data"].as_str().unwrap()).unwrap();
        }
    }
}

fn site() -> Site {
    let folder = Folder::new("confirm-browser");
    let setting = Setting::in_file(&folder);
    Site::start(folder, &setting, &["--as", "grace"])
}

#[test]
#[ignore = "needs a browser"]
fn needs_browser_a_person_approves() {
    let site = site();
    let browser = Browser::start();
    let mut call = delete(0);
    call.resource =
        "<script>document.title = 'ours'</script><img src=x onerror=\"document.title = 'ours'\">".into();
    let (asked, path) = site.ask(&call);
    let tab = browser.open(&site.url(&path));
    assert_eq!(tab.heading(), "May this call run?");
    assert_eq!(tab.ask("document.title"), "May this call run?");
    assert_eq!(tab.ask("document.scripts.length + document.images.length"), 0);
    // The style holds, though nothing else may be loaded or carried out.
    assert_eq!(tab.ask("getComputedStyle(document.querySelector('button')).minHeight"), "48px");
    assert_eq!(tab.complaints(), Vec::<Value>::new());
    assert_eq!(site.desk.look(&asked.handle).wait().unwrap().state, State::Pending);
    tab.picture("question");
    // On a phone nothing is beside the screen, and in the dark nothing is bright.
    let phone = json!({"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true});
    tab.call("Emulation.setDeviceMetricsOverride", phone);
    assert_eq!(tab.ask("document.documentElement.scrollWidth <= 360"), true);
    let ground = "getComputedStyle(document.body).backgroundColor";
    let bright = tab.ask(ground);
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    tab.call("Emulation.setEmulatedMedia", dark);
    assert_ne!(tab.ask(ground), bright);
    tab.picture("phone");
    // Each control has a name, and the keyboard reaches it: the note, then the answers.
    tab.call("Accessibility.enable", json!({}));
    let tree = tab.call("Accessibility.getFullAXTree", json!({}));
    let named = |role: &str| -> Vec<String> {
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let nodes = nodes.filter(|node| node["role"]["value"] == role);
        nodes.map(|node| node["name"]["value"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(named("button"), ["Approve", "Reject"]);
    assert_eq!(named("textbox"), ["A note (optional; kept with your answer)"]);
    tab.press("Tab", 9, "");
    tab.call("Input.insertText", json!({"text": "grün & gut"}));
    tab.press("Tab", 9, "");
    assert_eq!(tab.ask("document.activeElement.value"), "approve");
    tab.press("Enter", 13, "\r");
    tab.until("document.querySelector('h1')?.innerText === 'Approved'");
    tab.picture("approved");
    assert_eq!(tab.complaints(), Vec::<Value>::new());
    let entry = site.desk.look(&asked.handle).wait().unwrap();
    assert_eq!((entry.state, &*entry.votes[0].note), (State::Approved, "grün & gut"));
    // Opened once more, it says what became of it.
    let again = browser.open(&site.url(&path));
    assert_eq!(again.heading(), "Approved");
    assert_eq!(again.ask("document.forms.length"), 0);
}

#[test]
#[ignore = "needs a browser"]
fn needs_browser_two_at_once_and_one_is_heard() {
    let site = site();
    let browser = Browser::start();
    let (asked, path) = site.ask(&delete(0));
    let url = site.url(&path);
    let (one, other) = (browser.open(&url), browser.open(&url));
    assert_eq!((one.heading(), other.heading()), ("May this call run?".into(), "May this call run?".into()));
    one.click("button[value=approve]");
    other.click("button[value=reject]");
    let status = "performance.getEntriesByType('navigation')[0].responseStatus";
    let told: Vec<(String, Value)> = [&one, &other]
        .into_iter()
        .map(|tab| {
            tab.until("document.readyState === 'complete' && document.forms.length === 0");
            (tab.heading(), tab.ask(status))
        })
        .collect();
    let state = site.desk.look(&asked.handle).wait().unwrap().state;
    let (word, statuses) = match state {
        State::Approved => ("Approved", [200, 409]),
        _ => ("Rejected", [409, 200]),
    };
    assert_eq!(told, [(word.to_owned(), statuses[0].into()), (word.to_owned(), statuses[1].into())]);
    one.picture("one");
}
