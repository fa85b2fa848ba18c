// The camera as a reader of cards, where the browser can read QR codes by itself. Elsewhere a reader types, or a person does.
const EVERY_MS = 200
const form = document.getElementById('card-form'), code = document.getElementById('code'), button = document.getElementById('scan')
const box = document.getElementById('scanner'), video = document.getElementById('camera'), says = document.getElementById('scan-says')
let stream = null

if ('BarcodeDetector' in window && navigator.mediaDevices && (await BarcodeDetector.getSupportedFormats()).includes('qr_code')) {
  button.hidden = false
  button.addEventListener('click', () => stream ? stop() : start())
}
addEventListener('pagehide', stop)

async function start () {
  box.hidden = false
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
    video.srcObject = stream
    video.play().catch(() => {}) // stopped again before it began
  } catch {
    stop()
    box.hidden = false; video.hidden = true
    says.textContent = 'The camera cannot be used: allow it for this page, or type the number.'
    return
  }
  video.hidden = false
  says.textContent = 'Hold the card before the camera.'
  look(new BarcodeDetector({ formats: ['qr_code'] }))
}

function stop () {
  stream?.getTracks().forEach(track => track.stop())
  stream = null; video.srcObject = null; box.hidden = true
}

async function look (reader) {
  if (!stream) return
  const found = await reader.detect(video).catch(() => [])
  if (found.length && stream) { code.value = found[0].rawValue.slice(0, 60); stop(); form.requestSubmit(); return }
  setTimeout(() => look(reader), EVERY_MS)
}
