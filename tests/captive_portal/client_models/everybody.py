"""All models by name."""

from client_models import android, apple, chrome, firefox, network_manager, windows

LOOKS = {
    "Android": android.look,
    "iOS and macOS": apple.look,
    "Windows": windows.look,
    "Firefox": firefox.look,
    "Chrome": chrome.look,
    "ChromeOS": chrome.look_chromeos,
    "NetworkManager (Debian)": network_manager.look,
    "NetworkManager (Ubuntu)": network_manager.look_ubuntu,
}
KNOW_THE_API = ("Android", "iOS and macOS")
