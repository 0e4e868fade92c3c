// What of a page is seen, asked inside it: each of these runs in the browser, and says what is wrong.

/** What is cut off, or stands beyond the window. */
export function cut() {
  const unseen = (one) => !!one.closest(".hide, .skip, .sprite") || clipped(one);
  const clipped = (one) => !!one && (getComputedStyle(one).clipPath !== "none" || clipped(one.parentElement));
  const name = (one) => one.outerHTML.slice(0, 120);
  const wrong = document.documentElement.scrollWidth > innerWidth ? [`${document.documentElement.scrollWidth} pixels wide`] : [];
  for (const one of document.querySelectorAll("body *")) {
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    if (!box.width || !box.height || unseen(one)) continue;
    if (box.right > innerWidth + 0.5 || box.left < -0.5) wrong.push(`beyond: ${name(one)}`);
    const holds = one instanceof HTMLElement && !["INPUT", "SELECT"].includes(one.tagName);
    if (holds && style.overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1) wrong.push(`cut: ${name(one)}`);
    if (holds && style.overflowY === "hidden" && one.scrollHeight > one.clientHeight + 1) wrong.push(`cut: ${name(one)}`);
  }
  return wrong.slice(0, 5);
}

/** What is pressed and is smaller than 24 by 24 pixels (WCAG 2.5.8), but for what stands in a sentence or has that room around it. */
export function small() {
  const LEAST = 24;
  const targets = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary")]
    .filter((one) => one.checkVisibility() && !one.matches(".skip"))
    .map((one) => ({ one, box: one.getBoundingClientRect() }));
  const little = ({ box }) => box.width < LEAST - 0.5 || box.height < LEAST - 0.5;
  const middle = ({ box }) => [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  const inSentence = ({ one }) => {
    const block = one.closest("p, li, dt, dd, td, th, caption, figcaption, h1, h2, h3");
    let rest = block?.textContent ?? "";
    for (const other of block?.querySelectorAll("a, button, select") ?? []) rest = rest.replace(other.textContent, "");
    return getComputedStyle(one).display === "inline" && /\p{L}/u.test(rest);
  };
  const near = (a, b) => {
    const [x, y] = middle(a);
    if (little(b)) return Math.hypot(x - middle(b)[0], y - middle(b)[1]) < LEAST;
    const away = (at, from, to) => Math.max(from - at, 0, at - to);
    return Math.hypot(away(x, b.box.left, b.box.right), away(y, b.box.top, b.box.bottom)) < LEAST / 2;
  };
  return targets
    .filter((target) => little(target) && !inSentence(target) && targets.some((other) => other !== target && near(target, other)))
    .map(({ one, box }) => `${Math.round(box.width)} by ${Math.round(box.height)}: ${one.outerHTML.slice(0, 120)}`)
    .slice(0, 5);
}

/** The lines of what is said, with all that can be opened; without what is there to be pressed alone. */
export function lines() {
  for (const one of document.querySelectorAll("details")) one.open = true;
  for (const one of document.querySelectorAll(".find, main nav")) one.remove();
  return document.querySelector("main").innerText.split(/\n|\t/).map((line) => line.trim()).filter(Boolean);
}

/** What is drawn and cannot be told from the paper, and whether what has the focus shows it. */
export function unseen() {
  const paper = getComputedStyle(document.body).backgroundColor;
  const painted = (one) => {
    const { stroke, fill } = getComputedStyle(one);
    return [stroke, fill].some((paint) => paint !== "none" && paint !== paper);
  };
  const marks = [...document.querySelectorAll(".bars path:not(.n), .chart path, .versions text, symbol path.a, symbol circle")];
  const wrong = marks.filter((one) => !painted(one)).map((one) => one.outerHTML.slice(0, 120));
  document.querySelector("nav a, main a")?.focus();
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement);
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2 || outlineColor === paper) wrong.push("the focus is not seen");
  return wrong.slice(0, 5);
}

/** What moves by itself. */
export function moving() {
  const wrong = document.getAnimations().map((one) => one.effect?.target?.outerHTML.slice(0, 120) ?? "an animation");
  for (const one of document.querySelectorAll("*")) {
    const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(one);
    if (scrollBehavior === "smooth" || animationName !== "none" || transitionDuration.split(", ").some((time) => time !== "0s")) {
      wrong.push(one.outerHTML.slice(0, 120));
    }
  }
  return wrong.slice(0, 5);
}
