/* The chosen picture: a sample room, or the customer's own by file, drop, paste or camera. */

import { byId, element, remark } from "./element.js";

const longestSide = 2400;
const largestBytes = 6_000_000;
let chosen = null;
let brought = 0;
let onPicture = () => {};

/** The picture in use: `{key, title, url}` with either `room` (its name) or `file`; null before the first. */
export const chosenPicture = () => chosen;

/** Show the sample rooms; `changed` is called with every new choice. */
export function startPicture(rooms, changed) {
  onPicture = changed;
  byId("rooms").replaceChildren(...rooms.map(roomTile));
  if (!chosen && rooms.length) choose(fromRoom(rooms[0]));
  else if (chosen?.file) showBroughtTile();
  else markChosen();
}

/** Listen, once, for pictures from the file buttons, the clipboard and dropped files. */
export function listenForPictures() {
  for (const id of ["picture-file", "picture-camera"]) {
    byId(id).addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) bring(file);
    });
  }
  document.addEventListener("paste", (event) => take(event, event.clipboardData));
  document.addEventListener("dragover", (event) => {
    if (!atWork() || ![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (atWork() && [...event.dataTransfer.types].includes("Files")) event.preventDefault();
    take(event, event.dataTransfer);
  });
}

/** Use this file as the picture, or show beside the picker why it cannot be used. */
export async function bring(file, title = "Your picture") {
  remark(byId("picture-error"), "");
  try {
    const fitting = await fit(file);
    brought += 1;
    if (chosen?.file) URL.revokeObjectURL(chosen.url);
    const url = URL.createObjectURL(fitting);
    choose({ key: `brought-${brought}`, title, url, file: fitting });
    showBroughtTile();
  } catch {
    remark(byId("picture-error"), `“${file.name}” could not be read as a picture. Nothing was charged. Choose a JPEG, PNG or WebP picture, or one of the sample rooms.`);
    byId("picture-file").focus();
  }
}

/** Forget the customer's own picture when its owner leaves. */
export function forgetPicture() {
  if (chosen?.file) URL.revokeObjectURL(chosen.url);
  chosen = null;
  remark(byId("picture-error"), "");
}

const atWork = () => !byId("studio").hidden && !document.querySelector("dialog[open]");
const fromRoom = (room) => ({ key: `room-${room.name}`, title: room.title, url: room.url, room: room.name });

function choose(picture) {
  chosen = picture;
  remark(byId("picture-error"), "");
  markChosen();
  onPicture(picture);
}

function markChosen() {
  for (const radio of byId("rooms").querySelectorAll("input")) radio.checked = radio.value === chosen?.key;
}

function roomTile(room) {
  const picture = fromRoom(room);
  return tile(picture, room.kind, `room-${room.name}`, () => {
    if (chosen?.file) byId("rooms").querySelector("[data-brought]")?.remove();
    choose(picture);
  });
}

function showBroughtTile() {
  byId("rooms").querySelector("[data-brought]")?.remove();
  const made = tile(chosen, "yours", "room-own", () => {});
  made.dataset.brought = "";
  byId("rooms").prepend(made);
  markChosen();
  byId("rooms").scrollTo({ left: 0 });
}

function tile(picture, kind, testid, chosenByHand) {
  return element("label", { class: "room" },
    element("input", { type: "radio", name: "picture", value: picture.key, class: "cover", "data-testid": testid, onchange: chosenByHand }),
    element("img", { src: picture.url, alt: "", loading: "lazy", width: 132, height: 92 }),
    element("span", { class: "room-name" }, picture.title, element("small", {}, kind)));
}

function take(event, transfer) {
  if (!atWork() || !transfer) return;
  const file = [...transfer.files].find((each) => each.type.startsWith("image/")) ?? (event.type === "drop" ? transfer.files[0] : null);
  if (!file) return;
  event.preventDefault();
  bring(file);
}

/** Return the file itself, or a smaller copy of a picture that is too large; throws for anything that is not a picture. */
async function fit(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
  const sendable = ["image/jpeg", "image/png", "image/webp"].includes(file.type);
  if (scale === 1 && sendable && file.size <= largestBytes) return file;
  const canvas = element("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const copy = await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.9); });
  return new File([copy], "picture.jpg", { type: "image/jpeg" });
}
