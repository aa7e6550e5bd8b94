package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// A server sends the control characters that stand in people's texts as they are, although XML has none. The encoder
// would not; so they go through the lab as characters of a private area, and become what they are at its door.
const privateArea = 0xE000

var controlEscape = regexp.MustCompile(`\\x([01][0-9a-fA-F])`)

// withPrivateText reads the escapes of control characters ("\x01", in double quotes) in the text of a world.
func withPrivateText(world string) string {
	return controlEscape.ReplaceAllStringFunc(world, func(found string) string {
		number, _ := strconv.ParseUint(found[2:], 16, 8)
		if number == '\t' || number == '\n' || number == '\r' {
			return found
		}
		return string(rune(privateArea + number))
	})
}

// rawText puts the control characters themselves into an answer.
func rawText(answer []byte) []byte {
	if !bytes.Contains(answer, []byte("\xEE\x80")) {
		return answer
	}
	return bytes.Map(func(char rune) rune {
		if char >= privateArea && char < privateArea+0x20 {
			return char - privateArea
		}
		return char
	}, answer)
}

// escapedText writes the control characters into JSON as JSON does.
func escapedText(answer []byte) []byte {
	if !bytes.Contains(answer, []byte("\xEE\x80")) {
		return answer
	}
	var out bytes.Buffer
	for _, char := range string(answer) {
		if char >= privateArea && char < privateArea+0x20 {
			fmt.Fprintf(&out, "\\u%04x", char-privateArea)
		} else {
			out.WriteRune(char)
		}
	}
	return out.Bytes()
}
